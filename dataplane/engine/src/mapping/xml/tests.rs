use super::super::heap::{Exhausted, Heap};
use super::super::json;
use super::*;
use proptest::prelude::*;

fn heap() -> Heap {
    Heap::for_document(1 << 22, 1 << 28)
}

fn parsed(xml: &str, options: &Options) -> Result<String, String> {
    let mut heap = heap();
    let value = read_document(&mut heap, xml, options).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    json::write(&heap, value, json::Slash::Plain, &mut out).unwrap();
    Ok(String::from_utf8(out).unwrap())
}

fn written(value: &str, root: Option<&str>) -> Result<String, Unwritable> {
    let mut heap = heap();
    let value = json::read_body(&mut heap, value.as_bytes()).unwrap();
    let root = root.map(|root| heap.store(root).unwrap());
    let mut out = Vec::new();
    write(&mut heap, value, root, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn documents_become_values() {
    for (xml, want) in [
        ("<a/>", r#"{"a":""}"#),
        ("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a> x </a>\n", r#"{"a":" x "}"#),
        ("<a x='1' y=\"&lt;&#x41;\n\">t</a>", r##"{"a":{"@x":"1","@y":"<A ","#text":"t"}}"##),
        ("<a><b>1</b><c/><b>2</b></a>", r#"{"a":{"b":["1","2"],"c":""}}"#),
        ("<a>\n <b>1</b>\n</a>", r#"{"a":{"b":"1"}}"#),
        ("<a>x<b/>y</a>", r##"{"a":{"#text":"xy","b":""}}"##),
        ("<a>1 &amp;<![CDATA[ <2> ]]>&#13;\r\n</a>", r#"{"a":"1 & <2> \r\n"}"#),
        ("<a><!-- no --><?php no?>b</a>", r#"{"a":"b"}"#),
        ("<s:E xmlns:s='u'><s:B/></s:E>", r#"{"s:E":{"@xmlns:s":"u","s:B":""}}"#),
        ("<é>ü</é>", r#"{"é":"ü"}"#),
    ] {
        assert_eq!(parsed(xml, &Options::default()).as_deref(), Ok(want), "{xml}");
    }
}

#[test]
fn options_make_documents_simple() {
    let xml = "<s:E xmlns:s='u'><s:B i='1' p:i='2'><n t:type='int'>5</n></s:B><t:B>x</t:B></s:E>";
    let local = Options { prefixes: false, ..Options::default() };
    assert_eq!(
        parsed(xml, &local).unwrap(),
        r##"{"E":{"B":[{"@i":"1","n":{"@type":"int","#text":"5"}},"x"]}}"##
    );
    let plain = Options { attributes: false, lists: vec!["n".to_owned()], ..local };
    assert_eq!(parsed(xml, &plain).unwrap(), r#"{"E":{"B":[{"n":["5"]},"x"]}}"#);
}

#[test]
fn what_is_no_xml_is_refused_where_it_goes_wrong() {
    let many: String = (0..=ATTRIBUTES).map(|n| format!(" a{n}=''")).collect();
    for (xml, want) in [
        ("", "line 1, column 1 of the XML: a document has one root"),
        ("{}", "line 1, column 1 of the XML: a document has one root"),
        ("<a>\n  <b></a>", "line 2, column 6 of the XML: expected `</b>`, but `</a>` was found"),
        ("<a>\n <b>", "line 2, column 2 of the XML: <b> is not closed"),
        ("<a/><b/>", "line 1, column 5 of the XML: a document has one root"),
        ("<a/>x", "line 1, column 5 of the XML: a document has one root"),
        ("<a/><![CDATA[]]>", "line 1, column 5 of the XML: a document has one root"),
        ("<a>&nbsp;</a>", "line 1, column 4 of the XML: there is no entity &nbsp;"),
        ("<a>&#0;</a>", "line 1, column 4 of the XML: there is no entity &#0;"),
        ("<a>&#+1;</a>", "line 1, column 4 of the XML: there is no entity &#+1;"),
        ("<a>& b</a>", "line 1, column 4 of the XML: entity or character reference not closed"),
        ("<a b='&x;'/>", "line 1, column 4 of the XML: there is no entity &x;"),
        ("<a b='1' b='2'/>", "line 1, column 10 of the XML: the attribute b is there twice"),
        ("<a b='1'c='2'/>", "line 1, column 9 of the XML: attributes must be told apart"),
        ("<a b/>", "line 1, column 5 of the XML: an attribute has no '='"),
        ("<a b=c/>", "line 1, column 6 of the XML: an attribute's value has no quotes"),
        ("<a b='<'/>", "line 1, column 4 of the XML: '<' must be written"),
        ("<1/>", "line 1, column 1 of the XML: \"1\" is no XML name"),
        ("<a:b:c/>", "line 1, column 1 of the XML: \"a:b:c\" is no XML name"),
        ("<a>]]></a>", "line 1, column 4 of the XML: ']]>' must be written"),
        ("<a>\u{1}</a>", "line 1, column 4 of the XML: this character is not allowed"),
        ("<a><!-- -- --></a>", "line 1, column 9 of the XML: forbidden string `--`"),
        (" <?xml version='1.0'?><a/>", "line 1, column 2 of the XML: the XML declaration must"),
        ("<?xml version='1.1'?><a/>", "line 1, column 1 of the XML: only XML 1.0"),
        (
            "<?xml version='1.0' encoding='latin1'?><a/>",
            "line 1, column 1 of the XML: the encoding",
        ),
        ("<!DOCTYPE a><a/>", "line 1, column 1 of the XML: a document type declaration"),
        (&format!("<a{many}/>"), "line 1, column 1 of the XML: an element has more than 256"),
    ] {
        let refused = parsed(xml, &Options::default()).unwrap_err();
        assert!(refused.starts_with(want), "{xml}: {refused}");
    }
}

#[test]
fn hostile_documents_are_bounded() {
    let refused = |xml: &str| parsed(xml, &Options::default()).unwrap_err();
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>";
    assert!(refused(laughs).ends_with("declaration is not allowed"));
    assert!(refused(&"<a>".repeat(100_000)).ends_with("more than 128 deep"));
    assert!(refused(&" ".repeat(MAX_BYTES + 1)).ends_with("bytes"));
    // Elements of four bytes each: what they take is counted as they are read.
    let flat = format!("<a>{}</a>", "<b/>".repeat(MAX_BYTES / 4 - 2));
    let mut small = Heap::for_document(u64::MAX, 1 << 26);
    let refused = read_document(&mut small, &flat, &Options::default()).unwrap_err().why;
    assert_eq!(refused, Refused::Exhausted(Exhausted::Memory));
    let mut small = Heap::for_document(1 << 16, 1 << 28);
    let refused = read_document(&mut small, &flat, &Options::default()).unwrap_err().why;
    assert_eq!(refused, Refused::Exhausted(Exhausted::Steps));
}

#[test]
fn values_become_documents() {
    for (value, root, want) in [
        ("null", Some("a"), "<a/>"),
        (
            r#"{"b":[1,2.5,true,null],"c":[]}"#,
            Some("a"),
            "<a><b>1</b><b>2.5</b><b>true</b><b/></a>",
        ),
        (
            r##"{"b":"x","@i":"<\"&\n","#text":"&<>'"}"##,
            Some("a"),
            "<a i=\"&lt;&quot;&amp;&#10;\"><b>x</b>&amp;&lt;&gt;'</a>",
        ),
        (r#"{"s:E":{"@xmlns:s":"u"}}"#, None, "<s:E xmlns:s=\"u\"/>"),
    ] {
        assert_eq!(written(value, root).as_deref(), Ok(want), "{value}");
    }
    for (value, root, want) in [
        ("1", Some("a b"), Unwritable::Name("a b".to_owned())),
        (r#"{"x><y":1}"#, Some("a"), Unwritable::Name("x><y".to_owned())),
        (r#"{"@":1}"#, Some("a"), Unwritable::Name(String::new())),
        (r#"{"@x":[1]}"#, Some("a"), Unwritable::NoText("@x".to_owned())),
        ("[1]", Some("a"), Unwritable::List("a".to_owned())),
        (r#"{"b":[[1]]}"#, Some("a"), Unwritable::List("b".to_owned())),
        (r#"{"a":1,"b":2}"#, None, Unwritable::Root),
        (r#""\u0001""#, Some("a"), Unwritable::Character(1)),
    ] {
        assert_eq!(written(value, root), Err(want), "{value}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    assert_eq!(written(&deep, None), Err(Unwritable::TooDeep));
}

/// Documents with all that there is in them.
fn document() -> impl Strategy<Value = String> {
    let leaf = "[a-z &\u{e9}]{0,6}".prop_map(|text| text.replace('&', "&amp;"));
    let element = leaf.prop_recursive(4, 40, 5, |inner| {
        let child = ("[a-c]|s:[ab]", "( [xy]='[ -%(-;=-~]{0,3}')?", inner);
        let child = child.prop_map(|(name, attribute, inner)| {
            format!("<{name}{}>{inner}</{name}>", attribute.replace('&', "&amp;"))
        });
        proptest::collection::vec(child, 0..5).prop_map(|children| children.concat())
    });
    element.prop_map(|inner| format!("<r>{inner}</r>"))
}

proptest! {
    #[test]
    fn a_value_written_is_read_again(xml in document(), prefixes: bool, listed: bool) {
        let lists = if listed { vec!["a".to_owned()] } else { Vec::new() };
        let options = Options { prefixes, attributes: true, lists };
        let value = parsed(&xml, &options).unwrap();
        prop_assert_eq!(parsed(&written(&value, None).unwrap(), &options).unwrap(), value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[<>/a!?\\[\\]&;'\"= \n-]{0,40}") {
        if let Ok(value) = parsed(&text, &Options::default()) {
            prop_assert_eq!(parsed(&written(&value, None).unwrap(), &Options::default()).unwrap(), value);
        }
    }
}
