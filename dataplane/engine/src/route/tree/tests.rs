use proptest::prelude::*;

use super::*;

fn head(path: &str, method: Method) -> Head {
    let mut head = Head::default();
    head.path = head.push_bytes(path.as_bytes());
    head.method = method;
    head
}

fn tree(resources: &[(&str, Option<Method>)]) -> Tree {
    let mut builder = Builder::new();
    for (i, (path, verb)) in resources.iter().enumerate() {
        builder.add(path, *verb, i as u32).unwrap();
    }
    builder.build()
}

fn find(tree: &Tree, method: Method, path: &str, fall_through: bool) -> (Found, Vec<String>) {
    let head = head(path, method);
    let mut captures = Captures::default();
    let found = tree.find(&head, 0, path.len(), fall_through, &mut captures);
    let values = (0..usize::from(captures.len()))
        .map(|i| String::from_utf8(head.bytes(captures.get(i).unwrap()).to_vec()).unwrap())
        .collect();
    (found, values)
}

#[test]
fn precedence_is_literal_then_variable_then_greedy() {
    let tree = tree(&[
        ("/", None),
        ("/pets", None),
        ("/pets/{id}", None),
        ("/pets/best", None),
        ("/proxy/bar/{param}", None),
        ("/proxy/{proxy+}", None),
        ("/{any+}", None),
    ]);
    for (path, method, values) in [
        ("/", 0, vec![]),
        ("", 0, vec![]),
        ("/pets", 1, vec![]),
        ("/pets/", 1, vec![]),
        ("//pets", 1, vec![]),
        ("/pets/7", 2, vec!["7"]),
        ("/pets/best", 3, vec![]),
        ("/pets/%62est", 3, vec![]),
        ("/pets/7/toys", 6, vec!["pets/7/toys"]),
        ("/pets//toys", 6, vec!["pets//toys"]),
        ("/proxy/bar/foobar", 4, vec!["foobar"]),
        ("/proxy/bar/foobar/extra", 5, vec!["bar/foobar/extra"]),
        ("/proxy/value//double-slash", 5, vec!["value//double-slash"]),
        ("/proxy/value/", 5, vec!["value"]),
        ("/proxy", 6, vec!["proxy"]),
        ("/Pets", 6, vec!["Pets"]),
    ] {
        let (found, got) = find(&tree, Method::Get, path, false);
        assert_eq!(
            (found, got),
            (Found::Method(method), values.iter().map(ToString::to_string).collect()),
            "{path}"
        );
    }
}

#[test]
fn an_exact_method_wins_over_any_and_a_miss_is_told_apart() {
    let resources = [
        ("/a", None),
        ("/a", Some(Method::Post)),
        ("/b", Some(Method::Get)),
        ("/{p+}", Some(Method::Put)),
    ];
    let tree = tree(&resources);
    assert_eq!(find(&tree, Method::Post, "/a", false).0, Found::Method(1));
    assert_eq!(find(&tree, Method::Get, "/a", false).0, Found::Method(0));
    assert_eq!(find(&tree, Method::Other, "/a", false).0, Found::NoMethod);
    assert_eq!(find(&tree, Method::Head, "/b", false).0, Found::NoMethod);
    assert_eq!(
        find(&tree, Method::Put, "/b", false).0,
        Found::NoMethod,
        "REST APIs do not fall through"
    );
    assert_eq!(find(&tree, Method::Put, "/b", true).0, Found::Method(3), "HTTP APIs do");
    assert_eq!(
        find(&tree, Method::Put, "/", false).0,
        Found::NoResource,
        "greedy takes at least one segment"
    );
}

#[test]
fn paths_that_make_no_tree_are_refused() {
    let add = |first: &str, second: &str| {
        let mut builder = Builder::new();
        builder.add(first, None, 0).and_then(|_| builder.add(second, None, 1)).err()
    };
    assert!(matches!(add("/{a}", "/{b}"), Some(TreeError::TwoVariables(_))));
    assert!(matches!(add("/{a+}", "/{b+}"), Some(TreeError::TwoVariables(_))));
    assert!(matches!(add("/a", "/a"), Some(TreeError::Twice(..))));
    assert!(add("/{a}", "/{a}/x").is_none());
    assert!(add("/{a}", "/{b+}").is_none());
    for path in ["", "a", "//", "/a//b", "/{a+}/b", "/{}", "/{+}", "/a{b}", "/{a", "/a/"] {
        assert!(matches!(add("/ok", path), Some(TreeError::BadPath(_))), "{path}");
    }
    let deep =
        "/{a}".to_owned() + &(0..MAX_PARAMS).map(|i| format!("/{{p{i}}}")).collect::<String>();
    assert!(matches!(add("/ok", &deep), Some(TreeError::TooManyParameters(_))));
}

/// The rules in ten lines: of the resources that fit, the one whose parts are the most specific, compared from the root.
fn naive(resources: &[String], path: &str) -> Option<usize> {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let rank = |part: &str| u8::from(part.starts_with('{')) + u8::from(part.ends_with("+}"));
    let fits = |resource: &String| {
        let parts: Vec<&str> = resource.split('/').filter(|s| !s.is_empty()).collect();
        let greedy = parts.last().is_some_and(|p| rank(p) == 2);
        let enough =
            if greedy { segments.len() >= parts.len() } else { segments.len() == parts.len() };
        let all = parts.iter().zip(&segments).all(|(p, s)| rank(p) > 0 || p == s);
        (enough && all).then(|| parts.iter().map(|p| rank(p)).collect::<Vec<_>>())
    };
    (0..resources.len())
        .filter_map(|i| fits(&resources[i]).map(|key| (key, i)))
        .min()
        .map(|(_, i)| i)
}

proptest! {
    #[test]
    fn the_tree_agrees_with_the_naive_matcher(
        parts in prop::collection::vec(prop::collection::vec(0usize..5, 0..5), 1..12),
        path in prop::collection::vec(0usize..4, 0..6),
    ) {
        const PART: [&str; 5] = ["a", "b", "c", "{v}", "{g+}"];
        let mut resources: Vec<String> = Vec::new();
        for list in parts {
            let cut = list.iter().position(|p| *p == 4).map_or(list.len(), |i| i + 1);
            let text: String = list[..cut].iter().map(|p| format!("/{}", PART[*p])).collect();
            let text = if text.is_empty() { "/".to_owned() } else { text };
            if !resources.contains(&text) {
                resources.push(text);
            }
        }
        let built = tree(&resources.iter().map(|r| (r.as_str(), None)).collect::<Vec<_>>());
        let path: String = path.iter().map(|p| format!("/{}", ["a", "b", "c", "z"][*p])).collect();
        let want = naive(&resources, &path).map_or(Found::NoResource, |i| Found::Method(i as u32));
        prop_assert_eq!(find(&built, Method::Get, &path, false).0, want, "{} in {:?}", path, resources);
    }
}
