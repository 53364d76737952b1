use super::super::heap::{Exhausted, Heap};
use super::super::json::{Slash, read_body, write};
use super::*;

/// Source: what Jayway JsonPath 2.0.0 gives for the same, and its README for what came later (`length()`, `in`, `nin`,
/// `size`, `empty`, negative indices).
const BODY: &str = r#"{"a":"x/y","l":["p/q",1.0,null,true,{"k":[1]}],"n":null,
    "items":[{"id":1,"p":9.99,"t":["x"]},{"id":2,"p":5,"t":[]},{"id":3}],"deep":{"id":7,"in":{"id":8}},
    "o":{"1":"one","a b":2,"x.y":3}}"#;

fn select(path: &str) -> String {
    let path = match JsonPath::parse(path) {
        Ok(path) => path,
        Err(error) => return format!("at {}", error.at),
    };
    let mut heap = Heap::for_document(1 << 20, 1 << 20);
    let root = read_body(&mut heap, BODY.as_bytes()).unwrap();
    let Some(found) = path.select(&mut heap, root).unwrap() else { return "nothing".to_owned() };
    let mut out = Vec::new();
    write(&heap, found, Slash::Plain, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn paths_lead_where_jayway_goes() {
    for (path, want) in [
        ("$.l", r#"["p/q",1.0,null,true,{"k":[1]}]"#),
        ("$.l[*]", r#"["p/q",1.0,null,true,{"k":[1]}]"#),
        ("$.items[-1]", r#"{"id":3}"#),
        ("$.items[5]", "nothing"),
        ("$.items[0,2].id", "[1,3]"),
        ("$.items[*].id", "[1,2,3]"),
        ("$..id", "[1,2,3,7,8]"),
        ("$.items[1:].id", "[2,3]"),
        ("$.items[:2].id", "[1,2]"),
        ("$.items[-2:].id", "[2,3]"),
        ("$.items[0:10].id", "[1,2,3]"),
        ("$.items[2:1]", "[]"),
        ("$.items[?(@.p)].id", "[1,2]"),
        ("$.items[?(!@.p)].id", "[3]"),
        ("$.items[?(@.p > 6)].id", "[1]"),
        ("$.items[?(@.p == 5)]", r#"[{"id":2,"p":5,"t":[]}]"#),
        ("$.items[?(@.id in [1,3])].id", "[1,3]"),
        ("$.items[?(@.id nin [1])].id", "[2,3]"),
        ("$.items[?('x' in @.t)].id", "[1]"),
        ("$.items[?(@.p && @.id == 2)].id", "[2]"),
        ("$.items[?(@.id==1 || @.id==3)].id", "[1,3]"),
        ("$.items[?(@.p > 1 && (@.id == 1 || @.id == 2))].id", "[1,2]"),
        ("$.items[?(@.p == null)].id", "[]"),
        ("$.items[?(@.id == '1')].id", "[1]"),
        ("$.items[?(@.id =~ /[12]/)].id", "[1,2]"),
        ("$.items[?(@.t size 1)].id", "[1]"),
        ("$.items[?(@.t empty true)].id", "[2]"),
        ("$.items[?(@['id'] >= 2)].id", "[2,3]"),
        ("$.items[?(@.t[0]=='x')].id", "[1]"),
        ("$.items[?(@.id < $.deep.id)].id", "[1,2,3]"),
        ("$.items[?(@.id <= 2)][0]", "[]"),
        ("$.deep[?(@.id)]", r#"[{"id":7,"in":{"id":8}}]"#),
        ("$..[?(@.id > 2)].id", "[3,7,8]"),
        ("$.items.length()", "3"),
        ("$.items[*].p.max()", "9.99"),
        ("$.items[*].id.sum()", "6.0"),
        ("$.a.length()", "3"),
        ("$['a','n']", r#"{"a":"x/y","n":null}"#),
        ("$.items[*]['id','p']", r#"[{"id":1,"p":9.99},{"id":2,"p":5},{"id":3}]"#),
        ("$.o['a b']", "2"),
        ("$.o[\"x.y\"]", "3"),
        ("$.o.*", r#"["one",2,3]"#),
        ("$.deep..*", r#"[7,{"id":8},8]"#),
        ("$..items[0].id", "[1]"),
        ("$..in..id", "[8]"),
        ("$.items[*].t[0]", r#"["x"]"#),
        ("$.items.id", "nothing"),
        ("$.nope", "nothing"),
        ("$.nope.more", "nothing"),
        ("$.n", "null"),
        ("$.n.x", "nothing"),
        ("a", r#""x/y""#),
        ("o.1", r#""one""#),
        ("$.", "at 2"),
        ("$..", "at 3"),
        ("$.items[", "at 8"),
        ("$.items['id'", "at 12"),
        ("$.items[].id", "at 8"),
        ("x y", "at 2"),
        ("$.items[?(@.id =~ /(/)]", "at 18"),
        ("$.items[::2]", "at 9"),
        ("", "at 0"),
    ] {
        assert_eq!(select(path), want, "{path}");
    }
}

#[test]
fn no_path_runs_away() {
    let nested = format!("{}1{}", "{\"a\":[".repeat(100), "]}".repeat(100));
    for path in ["$..a..a..a..a..a..a", "$..*..*..*..*", "$..[?(@..a)]..[?(@..a)]"] {
        let mut heap = Heap::for_document(1 << 20, 1 << 24);
        let root = read_body(&mut heap, nested.as_bytes()).unwrap();
        assert!(JsonPath::parse(path).unwrap().select(&mut heap, root).is_err(), "{path}");
    }
    // Going back is paid from the same steps, for each member anew.
    let members = vec![format!("\"{}b\"", "a".repeat(100)); 10_000].join(",");
    let mut heap = Heap::for_document(1 << 17, 1 << 24);
    let root = read_body(&mut heap, format!("[{members}]").as_bytes()).unwrap();
    let path = JsonPath::parse(r"$[?(@ =~ /(a*)(a*)(a*)\1/)]").unwrap();
    assert!(matches!(path.select(&mut heap, root), Err(Exhausted::Steps)));
    assert!(JsonPath::parse(&format!("$[?{}@.a{}]", "(".repeat(1000), ")".repeat(1000))).is_err());
    assert!(JsonPath::parse(&format!("${}", ".a".repeat(100_000))).is_err());
    assert!(JsonPath::parse(&format!("$[?({}@.a)]", "@[?(".repeat(10_000))).is_err());
}
