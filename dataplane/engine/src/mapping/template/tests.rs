use super::*;

/// Source of most cases: LocalStack's recordings of AWS, as `reference/rest-api-runtime` section 8 tells them.
fn given() -> Given {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
    };
    Given {
        body: br#"{"a": "x/y", "n": null, "f": 2.50, "no": false, "list": [{"foo": "bar"}, [{"k": 1}]], "map": {"nested": [{"b": 1}], "items": 5}}"#.to_vec(),
        path: pairs(&[("id", "42"), ("same", "path")]),
        query: pairs(&[("q", "1"), ("q", "2"), ("same", "query")]),
        header: pairs(&[("X-A", "h"), ("same", "header")]),
        context: pairs(&[
            ("requestId", "\"r-1\""),
            ("identity.sourceIp", "\"192.0.2.1\""),
            ("identity.user", "null"),
            ("requestTimeEpoch", "1700000000000"),
            ("authorizer.claims", "{\"custom:role\": \"admin\"}"),
        ]),
        stage_variables: pairs(&[("table", "Users"), ("fn", "f1")]),
    }
}

fn render_with(source: &str, given: &Given, overrides: &mut Overrides) -> Result<String, String> {
    render_within(source, given, overrides, &Limits::API_GATEWAY)
}

fn render_within(
    source: &str,
    given: &Given,
    overrides: &mut Overrides,
    limits: &Limits,
) -> Result<String, String> {
    let template = Template::compile(source).map_err(|error| error.to_string())?;
    let mut scope =
        Scope { source: given, scratch: &mut Scratch::default(), overrides, trace: None };
    let mut out = Vec::new();
    template.render(&mut scope, limits, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn render(source: &str) -> Result<String, String> {
    render_with(source, &given(), &mut Overrides::default())
}

fn check(cases: &[(&str, &str)]) {
    for (source, want) in cases {
        assert_eq!(render(source).as_deref(), Ok(*want), "{source}");
    }
}

#[test]
fn what_does_not_exist_is_empty_text() {
    check(&[
        ("[$nope] [$!nope] [${nope}] [$nope.more.still] [$nope.method()]", "[] [] [] [] []"),
        ("#if($nope)yes#else no#end", "yes"),
        ("#if(!$nope)yes#{else}no#end", "no"),
        ("#if($nope == $null)a#end#if($nope == \"\")b#end#if($nope != '')c#end", "ab"),
        ("#if(\"\")a#end#if(0)b#end#if(false)c#end", "ab"),
        ("#set($x = $input.path('$.n'))#if($x)a#end#if($x == '')b#end[$x]", "ab[]"),
        ("#set($x = 1)#set($x = $nope)[$x]", "[]"),
        ("#set($m = {})$m.put('k', $nope)#if($m.k == '')a#end[$m.k]$m", "a[]{k=}"),
        ("#set($m = {$nope: 'foo'})$m", "{=foo}"),
        ("#foreach($x in $nope)$x#end.", "."),
        ("#set($x = null)[$x]", "[]"),
        ("#if($input.path('$.no'))a#{else}b#end", "b"),
    ]);
}

#[test]
fn objects_print_as_recorded() {
    check(&[
        ("$input.path('$.map')", "{nested=[{\"b\":1}], items=5}"),
        ("$input.path('$.list')", "[{\"foo\":\"bar\"},[{\"k\":1}]]"),
        ("$input.path('$.list')[0] $input.path('$.list')[1]", "{foo=bar} [{\"k\":1}]"),
        (
            "#set($m = {'k1': 'v1', 'k2': [1, 'a']})$m.toString() $m.keySet()",
            "{k1=v1, k2=[1, a]} [k1, k2]",
        ),
        ("#set($e = [])$e", "[]"),
        (
            "#set($m = {'a': 1})$!m.put('m', $m)$m #set($l = [])$l.add($l) $l",
            "{a=1, m=(this Map)}true [(this Collection)]",
        ),
        ("#set($x = 100.0 / 50)$x #set($y = 7 / 2)$y", "2.03"),
        (
            "$input.path('$.map.items') $input.path('$.map').items $input.path('$.map').nope.",
            "5 5 .",
        ),
        ("$input.path('$.f') $input.json('$.f')", "2.5 2.5"),
    ]);
}

#[test]
fn input_is_the_body_and_the_parameters() {
    check(&[
        ("$input.json('$.nope') $input.json('$.map')", "\"\" {\"nested\":[{\"b\":1}],\"items\":5}"),
        (
            "$input.json('$.a')|$input.path('$.a')|$input.path(\"$.list[*].foo\")",
            "\"x/y\"|x/y|[\"bar\"]",
        ),
        ("$input.body.foo.", "."),
        (
            "$input.params('same') $input.params('q') $input.params('X-A') [$input.params('x-a')]",
            "path 2 h []",
        ),
        (
            "$input.params()",
            "{path={id=42, same=path}, querystring={q=2, same=query}, header={X-A=h, same=header}}",
        ),
        ("$input.params().get('header').get('X-A') $input.params().path.id", "h 42"),
        ("#set($p = '$.a')$input.path($p)", "x/y"),
        ("$input.path('$.map').put('z', 1)$input.path('$.map').z.", "."),
        ("#set($m = $input.path('$.map'))#set($o = $m)$!o.put('z', 1)$m.z", "1"),
        ("$input.nope $input.nope() $util.nope('x').", "  ."),
    ]);
    for (body, want) in [("", "{}|{}|{}|"), ("text", "text|\"\"||"), ("[1]", "[1]|[1]|[1]|1")] {
        let given = Given { body: body.into(), ..Given::default() };
        let got = render_with(
            "$input.body|$input.json('$')|$input.path('$')|$input.path('$[0]')",
            &given,
            &mut Overrides::default(),
        );
        assert_eq!(got.as_deref(), Ok(want), "{body}");
    }
    let binary = Given { body: vec![b'"', 0xff, b'"'], ..Given::default() };
    assert_eq!(
        render_with("$input.path('$')", &binary, &mut Overrides::default()).as_deref(),
        Ok("\u{fffd}")
    );
}

#[test]
fn util_encodes() {
    check(&[
        ("$util.escapeJavaScript($input.json('$.a'))", "\\\"x\\/y\\\""),
        (
            "$util.escapeJavaScript(\"it's\") $util.escapeJavaScript($nope) $util.escapeJavaScript(5)",
            "it\\'s null 5",
        ),
        ("$util.escapeJavaScript(\"it's\").replaceAll(\"\\\\'\",\"'\")", "it's"),
        (
            "$util.urlEncode('a b{}:')|$util.urlEncode($nope)|$util.urlDecode('a+%7B')",
            "a+b%7B%7D%3A||a {",
        ),
        ("$util.base64Encode('héllo') $util.base64Decode('aMOpbGxv')", "aMOpbGxv héllo"),
        (
            "#set($j = $util.parseJson('{\"a\": [1, {\"b\": 2}]}'))$j.a[1].b $util.parseJson('5')",
            "2 5",
        ),
    ]);
    assert!(render("$util.parseJson('{')").is_err() && render("$util.base64Decode('%')").is_err());
}

#[test]
fn context_and_stage_variables_are_maps() {
    check(&[
        (
            "$context.requestId $context.identity.sourceIp [$context.identity.user] [$context.nope.x]",
            "r-1 192.0.2.1 [] []",
        ),
        (
            "$context.authorizer.claims['custom:role'] $context.requestTimeEpoch",
            "admin 1700000000000",
        ),
        (
            "#foreach($k in $context.keySet())$k #end",
            "requestId identity requestTimeEpoch authorizer requestOverride responseOverride ",
        ),
        (
            "$context.get('requestId') $context['requestId'] $context.identity.keySet()",
            "r-1 r-1 [sourceIp, user]",
        ),
        (
            "$stageVariables.table ${stageVariables.fn} $stageVariables['table'] [$stageVariables.nope]",
            "Users f1 Users []",
        ),
        (
            "#foreach($k in $stageVariables.keySet())$k=$stageVariables.get($k);#end",
            "table=Users;fn=f1;",
        ),
        ("#set($context = 1)$context", "1"),
    ]);
}

#[test]
fn overrides_are_kept_for_the_engine_and_for_the_next_template() {
    let mut overrides = Overrides::default();
    let request = "#set($context.requestOverride.header.x = ['a', 'b'])#set($n = 'q')\
        #set($context[\"requestOverride\"].querystring[$n] = 5)$!context.requestOverride.path.put('id', 'p')\
        #set($context.responseOverride.custom = {'k': [1, 'v']})#set($context.responseOverride.status = 201)";
    assert_eq!(render_with(request, &given(), &mut overrides).as_deref(), Ok(""));
    let headers: Vec<_> = overrides.request(Place::Header).collect();
    assert_eq!(headers, [("x", vec!["a".into(), "b".into()])]);
    assert_eq!(overrides.request(Place::Query).collect::<Vec<_>>(), [("q", vec!["5".into()])]);
    assert_eq!(overrides.request(Place::Path).collect::<Vec<_>>(), [("id", vec!["p".into()])]);
    assert_eq!((overrides.status(), overrides.is_empty()), (Some(201), false));

    let response = "$context.responseOverride.custom.k[1] $context.requestOverride.header.x[0] $context.responseOverride.status\
        #set($context.responseOverride.header.y = 'z')#set($context.responseOverride.status = 'nonsense')";
    let mut next = overrides.clone();
    // What was set before may be set again, but only once.
    assert!(render_with(response, &given(), &mut next).is_err());
    let response = response.replace("#set($context.responseOverride.status = 'nonsense')", "");
    assert_eq!(render_with(&response, &given(), &mut overrides).as_deref(), Ok("v a 201"));
    assert_eq!(overrides.response_headers().collect::<Vec<_>>(), [("y", vec!["z".into()])]);

    let twice =
        "#set($context.requestOverride.header.x = 1)#set($context.requestOverride.header.x = 2)";
    let mut untouched = Overrides::default();
    let error = render_with(twice, &given(), &mut untouched).unwrap_err();
    assert_eq!(
        (error.as_str(), untouched.is_empty()),
        ("line 1, column 49: x is overridden twice", true)
    );
    for status in ["99", "600", "'ok'", "200.5"] {
        let mut overrides = Overrides::default();
        render_with(
            &format!("#set($context.responseOverride.status = {status})"),
            &given(),
            &mut overrides,
        )
        .unwrap();
        assert_eq!(overrides.status(), None);
    }
}

#[test]
fn directives_api_gateway_does_not_know_print_as_written() {
    check(&[
        ("#macro(blah $x)never $x#end#blah() #blah('a') #blah", "#blah() #blah('a') #blah"),
        (
            "#evaluate('$x') #return #include('a') #parse(\"b\")",
            "#evaluate('$x') #return #include('a') #parse(\"b\")",
        ),
        ("#define($d)hi#end$d()", "hi()"),
        ("a#stop b", "a"),
        ("#foreach($i in [1..3])#if($i == 2)#break#end$i#end|", "1|"),
        (
            "#set($x = \"\\\\batman\\\\n\")$x #set($y = \"say \"\"hi\"\"\")$y",
            "\\\\batman\\\\nsay \"hi\"",
        ),
        ("#foreach($i in [5..3])$velocityCount$i#if($velocityHasNext),#end#end", "15,24,33"),
        ("#set($email = 'value')\\$email \\\\$email", "$email \\value"),
    ]);
    let template = Template::compile("#foreach($i in [1..2000])x#end").unwrap();
    let mut out = Vec::new();
    let given = given();
    let mut scope = Scope {
        source: &given,
        scratch: &mut Scratch::default(),
        overrides: &mut Overrides::default(),
        trace: None,
    };
    template.render(&mut scope, &Limits::API_GATEWAY, &mut out).unwrap();
    assert_eq!(out.len(), 1000);
}

#[test]
fn errors_say_where() {
    for (source, want) in [
        ("a\n  #if($x)", "line 2, column 3: #if has no #end"),
        ("é#set($a = )", "line 1, column 12: a value is expected here"),
        ("#set($n = $n -1)", "line 1, column 14: ')' is expected here"),
        ("#end", "line 1, column 5: this belongs to no #if or #foreach"),
        ("${name", "line 1, column 1: this reference has no closing brace"),
        ("x $", "line 1, column 3: a template cannot end with '$'"),
        ("#[[ a", "line 1, column 1: #[[ has no ]]#"),
        ("#set($a = 'x)", "line 1, column 11: this string has no closing quote"),
        ("#set($a = \"say \"\"hi\"\" #if\")", "line 1, column 11: '(' is expected here"),
        ("#set($a = \"\n$b[\")", "line 2, column 4: a value is expected here"),
        ("#foreach($i)#end", "line 1, column 1: #foreach is written #foreach($item in $list)"),
        ("$true", "line 1, column 2: 'true' and 'false' are values and cannot be names"),
        (
            "#set($x.y() = 1)",
            "line 1, column 6: #set needs a variable or one of its members to set, as in #set($name = value)",
        ),
        ("ab $input.path('$.list')[9]", "line 1, column 4: index 9 is out of range: there are 2"),
        ("$input.body.substring(999)", "line 1, column 1: index 999 is out of range: there are 0"),
        ("#set($x = 'a'.b)", "line 1, column 14: ')' is expected here"),
    ] {
        let got = render(source);
        if want.contains("999") {
            assert!(got.unwrap_err().starts_with("line 1, column 1: index 999"));
            continue;
        }
        assert_eq!(got.unwrap_err(), want, "{source}");
    }
}

#[test]
fn bombs_are_bounded() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for source in [
        deep("#if($x)", "#end")[..200_000].to_owned(),
        format!("#set($x = {})", &deep("(", "")),
        format!("#set($x = {})", &deep("[", "")),
        format!("#set($x = {})", &deep("!", "")),
        deep("$a[", ""),
        format!("#set($x = \"{}", "$a[\"\"".repeat(20_000)),
    ] {
        assert!(Template::compile(&source).is_err());
    }
    assert!(Template::compile(&"x".repeat(Template::MAX_BYTES + 1)).is_err());
    // Long is not deep.
    assert!(
        render(&format!("#set($x = 1{}){}", " + 1".repeat(20_000), "$x.y".repeat(20_000))).is_ok()
    );
    for (source, why) in [
        (
            "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])$c#end#end#end",
            "steps",
        ),
        (
            "#set($x = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')#foreach($i in [1..1000])#set($x = \"$x$x\")#end",
            "larger",
        ),
        ("#set($l = [])#foreach($i in [1..1000])$!l.addAll($l)$!l.add(1)#end", "memory"),
        ("#set($l = [])$!l.add([$l])$l", "deeply"),
        ("#set($l = [1])#foreach($i in [1..1000])#set($l = [$l, $l])#end$l", "deeply"),
        ("#set($l = [1])#foreach($i in [1..300])#set($l = [$l, $l])#end$l", "memory"),
        ("#set($a = [1..2000000000])$a.size()", "steps"),
        ("#define($d)$d$d#end#define($e)$d$e#end$e", ""),
        ("#set($x = 99999999999)#foreach($i in [1..10])#set($x = $x * $x)#end", "number"),
        ("#set($s = 'a')#foreach($i in [1..1000])#set($s = $s.replace('a', 'aaaaaaaa'))#end", ""),
        (
            "#set($s = 'aaaaaaaa')#foreach($i in [1..1000])#set($s = $s.replaceAll('a', '$0$0$0'))#end",
            "",
        ),
        ("#set($s = $input.body.replaceAll('(?=a', ''))", "regular"),
        (
            "#set($s = 'aaaaaaaa')#foreach($i in [1..5])#set($s = \"$s$s\")#end#set($s = $s.replaceAll('(a+)\\1(?=b)', ''))",
            "long",
        ),
    ] {
        let limits =
            Limits { steps: 200_000, output: 1 << 20, memory: 1 << 23, ..Limits::API_GATEWAY };
        match render_within(source, &given(), &mut Overrides::default(), &limits) {
            Err(error) => assert!(error.contains(why), "{source}: {error}"),
            Ok(_) => assert_eq!(why, "", "{source}"),
        }
    }
}

#[test]
fn large_and_deep_bodies_are_bounded() {
    for (body, want) in [
        (vec![b'['; 100_000], Ok("[]")),
        ([vec![b'['; 399], b"1".to_vec(), vec![b']'; 399]].concat(), Ok("[1]")),
        ([vec![b'['; 5_000_000], vec![b']'; 5_000_000]].concat(), Ok("[]")),
        (format!("[{}1]", "1,".repeat(1_000_000)).into_bytes(), Ok("[1000001]")),
    ] {
        let given = Given { body, ..Given::default() };
        let got = render_with("[$!input.path('$').size()]", &given, &mut Overrides::default());
        assert_eq!(got.as_deref().map_err(String::as_str), want);
    }
}

#[test]
fn uses_tell_what_a_template_refers_to() {
    let uses = |source: &str| Template::compile(source).unwrap().uses().clone();
    assert_eq!(uses("{\"statusCode\": 200}"), Uses::default());
    let used = uses(
        "$context.requestId ${context.identity['sourceIp']} $context.requestId $stageVariables.a $input.body",
    );
    let names = |names: &[&str]| Used::Names(names.iter().map(|name| (*name).into()).collect());
    assert_eq!(used.context, names(&["requestId", "identity.sourceIp"]));
    assert_eq!((used.stage_variables, used.input, used.util), (names(&["a"]), true, false));
    for all in [
        "$context",
        "$context.keySet()",
        "$context[$x]",
        "$context.identity.get('a')",
        "\"#set($y = \"$context\")",
    ] {
        assert_eq!(uses(all).context, Used::All, "{all}");
    }
    for (source, constant) in [
        ("{\"statusCode\": 200}", Some("{\"statusCode\": 200}")),
        ("a## comment\nb#* c *#d #[[$x]]# 5$ #fff", Some("abd $x 5$ #fff")),
        ("", Some("")),
        ("$x", None),
        ("#set($a = 1)", None),
    ] {
        assert_eq!(Template::compile(source).unwrap().constant().as_deref(), constant, "{source}");
    }
}

#[test]
fn a_trace_tells_each_step() {
    struct Told(Vec<String>);
    impl Trace for Told {
        fn step(&mut self, at: Position, did: Did<'_>) {
            self.0.push(format!("{}:{} {did:?}", at.line, at.column));
        }
    }
    let template =
        Template::compile("#set($a = [1])\n#foreach($i in $a)#if($i > 1)x#end$i#end").unwrap();
    let mut told = Told(Vec::new());
    let given = given();
    let mut scope = Scope {
        source: &given,
        scratch: &mut Scratch::default(),
        overrides: &mut Overrides::default(),
        trace: Some(&mut told),
    };
    template.render(&mut scope, &Limits::API_GATEWAY, &mut Vec::new()).unwrap();
    assert_eq!(
        told.0,
        [
            "1:6 Set { target: \"$a\", value: \"[1]\" }",
            "2:1 Iterated { name: \"i\", index: 0, value: \"1\" }",
            "2:19 Chose(None)",
            "2:35 Printed { reference: \"$i\", output: \"1\" }",
        ]
    );
}

#[test]
fn xml_both_ways() {
    let soap = "<s:Envelope xmlns:s='u'><s:Body><t:a x='1'>5 &lt; 6</t:a></s:Body></s:Envelope>";
    let given = Given { body: soap.as_bytes().to_vec(), ..Given::default() };
    let shown = |template: &str| render_with(template, &given, &mut Overrides::default());
    for (template, want) in [
        (
            "#set($d = $util.parseXml($input.body, {\"prefixes\": false, \"attributes\": false, \"lists\": [\"a\"]}))\
             #foreach($a in $d.Envelope.Body.a)$util.toJson($a)#end",
            "\"5 < 6\"",
        ),
        (
            "$util.toXml($util.parseXml($input.body)['s:Envelope']['s:Body'], 'b')",
            "<b><t:a x=\"1\">5 &lt; 6</t:a></b>",
        ),
        (
            "$util.toXml({\"t:n\": [1, \"<\"], \"@id\": true}, \"t:r\")",
            "<t:r id=\"true\"><t:n>1</t:n><t:n>&lt;</t:n></t:r>",
        ),
        ("$util.toJson({\"a\": [1, \"b\"]})", "{\"a\":[1,\"b\"]}"),
    ] {
        assert_eq!(shown(template).as_deref(), Ok(want), "{template}");
    }
    for (template, want) in [
        (
            "\n $util.parseXml('<a>')",
            "line 2, column 2: $util.parseXml cannot read it: line 1, column 1 of the XML: <a> is not closed",
        ),
        (
            "$util.parseXml('<a/>', {\"local\": true})",
            "line 1, column 1: $util.parseXml has no option \"local\" with such a value",
        ),
        (
            "$util.toXml(1, '1')",
            "line 1, column 1: $util.toXml cannot write it: \"1\" is no XML name",
        ),
    ] {
        assert_eq!(shown(template), Err(want.to_owned()), "{template}");
    }
}
