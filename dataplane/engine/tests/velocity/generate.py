#!/usr/bin/env python3
"""Prints random templates as cases, one JSON line each: generate.py COUNT [SEED].

Half of them are Velocity's own (`context`), half are API Gateway's (`apigw`). Those of API Gateway's keep away from what it is
recorded to do otherwise (deviations.json): what does not exist is only printed there, conditions are comparisons or booleans.
"""
import json
import random
import sys

CONTEXT = {
    "name": "Ada", "n": 7, "neg": -3, "d": 2.5, "t": True, "f": False, "nul": None, "empty": "", "s": "Hello, World",
    "u": "é漢😀x", "list": ["a", "b", "c"], "nums": [3, 1, 2], "none": [], "one": {"k": "v"},
    "map": {"x": 1, "y": "two", "z": {"deep": [10, {"q": "end"}]}},
    "users": [{"id": 1, "name": "Ann", "tags": ["p", "q"]}, {"id": 2, "name": "Bo", "tags": []}],
}
BODY = {
    "name": "Ada", "n": 7, "neg": -3, "d": 2.5, "t": True, "f": False, "empty": "", "s": "Hello, World", "u": "é漢😀x/\"'",
    "list": ["a", "b/c", "d\"e"], "nums": [3, 1.0, 2e3, -0.001], "none": [], "one": {"k": "v"},
    "map": {"x": 1, "y": "two", "z": {"deep": [10, {"q": "end"}]}},
    "users": [{"id": 1, "name": "Ann", "tags": ["p", "q"]}, {"id": 2, "name": "Bo", "tags": []}],
    "json": "{\"k\": [1, {\"z\": 2}]}",
}
APIGW = {
    "body": json.dumps(BODY, ensure_ascii=False), "path": {"id": "42"}, "querystring": {"q": "a b&c"},
    "header": {"X-Trace": "t-1"}, "context": {"requestId": "req-1", "stage": "dev", "identity": {"sourceIp": "127.0.0.1"}},
    "stageVariables": {"table": "Users"},
}
PATHS = [
    "$.name", "$.n", "$.list", "$.users", "$.map", "$.map.z.deep", "$.users[0]", "$.users[*].id", "$..id", "$.nums",
    "$.users[?(@.id > 1)]", "$.users[?(@.name == 'Ann')].tags", "$.list[0:2]", "$.list[1]", "$['one']['k']", "$.missing",
    "$.users[1].name", "$.map.*", "$.users[0,1].name", "$.list[-2:]", "$.users[?(@.id == 1 || @.name == 'Bo')].name",
]
# The driver's `$util` takes nothing but text.
TEXTS = ['"lit é/"', "'it''s'", "$input.path('$.s')", "$input.path('$.u')", '"<$input.path(\'$.name\')>"']


class Grammar:
    def __init__(self, rng, stock):
        self.rng, self.stock, self.sets = rng, stock, 0

    def pick(self, *choices):
        return self.rng.choice(choices)

    def many(self, one, low, high, between=""):
        return between.join(one() for _ in range(self.rng.randint(low, high)))

    # Values

    def text_value(self):
        return self.pick("$name", "$s", "$u", "$empty", "$list[0]", "$map.y", "$users[0].name", '"lit"', "'raw'")

    def number(self):
        # What does not exist is no number, and setting it is where API Gateway differs.
        return self.pick("$n", "$neg", "$d", "$nums[0]" if self.stock else "5", "$map.x" if self.stock else "3", "1", "-2", "10", "2.5", "0" if self.stock else "4", "1.5e3", "2147483647")

    def whole(self):
        return self.pick("$n", "$neg", "$map.x", "1", "-2", "10", "3")

    def list_value(self):
        return self.pick("$list", "$nums", "$none", "$users", "[1..3]", "[3..-1]", "[$neg..$n]", "[1, 'two', $n]", "[]",
                         "$map.keySet()", "$map.values()", "$list.subList(0, 2)", "$map.z.deep", "$one.entrySet()")

    def map_value(self):
        return self.pick("$map", "$one", "$users[0]", "$map.z", "{}", '{"a": 1, "b": [1, 2]}', "{'k': $name, 'n': $n}")

    def missing(self):
        return self.pick("$nope", "$nul", "$map.nope", "$nope.more", "$one.k.nope", "$name.nope", "$list.nope")

    def call(self):
        return self.pick(
            lambda: f"$name.{self.pick('length()', 'toUpperCase()', 'toLowerCase()', 'isEmpty()', 'trim()', 'toString()')}",
            lambda: f"$s.{self.pick('indexOf', 'lastIndexOf', 'contains', 'startsWith', 'endsWith', 'equals', 'concat', 'equalsIgnoreCase', 'compareTo')}({self.text_value()})",
            lambda: f"$s.substring({self.pick(0, 1, 5, 12)})",
            lambda: f"$s.substring({self.pick(0, 1)}, {self.pick(1, 5, 12)})",
            lambda: f"$u.{self.pick('length()', 'substring(1)', 'indexOf(%sx%s)' % (chr(34), chr(34)), 'toUpperCase()')}",
            lambda: f"$s.replace({self.pick('%sl%s', '%so, %s', '%s%s') % (chr(39), chr(39))}, {self.text_value()})",
            lambda: self.pick("$s.replaceAll('[aeiou]', '*')", "$s.replaceAll('(l+)', '<$1>')", "$s.replaceFirst('l', 'L')",
                              "$s.matches('H.*')", "$s.matches('H')", "$s.split('o').size()", "$s.split('')[0]", "$s.split('l')[1]"),
            lambda: f"{self.pick('$s', '$name')}.{self.pick('replaceAll', 'replaceFirst')}('{self.regex()}', '{self.pick('-', '[$0]', '')}')",
            lambda: f"{self.pick('$s', '$u', '$name')}.matches('{self.regex()}')",
            # Java also finds places within a pair of surrogates, and such halves print as '?'. An array itself prints with its address.
            lambda: f"{self.pick('$s', '$name')}.split('{self.regex()}')[{self.pick(0, 1)}]",
            lambda: f"{self.pick('$list', '$nums', '$users', '$none')}.{self.pick('size()', 'isEmpty()')}",
            lambda: f"$list.{self.pick('contains', 'indexOf')}({self.text_value()})",
            lambda: f"$list.get({self.pick(0, 1, 2, 2, 9)})",
            lambda: f"$map.{self.pick('size()', 'isEmpty()', 'keySet()', 'values()', 'entrySet()')}",
            lambda: f"$map.{self.pick('get', 'containsKey')}({self.pick('%sx%s', '%sy%s', '%snope%s') % (chr(34), chr(34))})",
            lambda: self.pick("$list[1]", "$list[-1]", "$list[7]", "$map['y']", '$map["z"].deep[1].q', "$users[1].tags", "$users[0]['name']"),
            lambda: self.pick("$n.intValue()", "$n.toString()", "$n.parseInt('42')", "$t.toString()", "$n.equals(7)", "$s.hashCode()"),
        )()

    def regex(self):
        """A regular expression, also with what takes backtracking."""
        atoms = ["l", "o", "e", ".", "[a-z]", "[^l]", "[a-z&&[^lo]]", "\\w", "\\d", "\\s", "\\W", "\\p{Upper}", "\\P{Alpha}", "(l)",
                 "(?<x>[aeo])", "(?:lo|l)", "(?i)h", "\\Qo,\\E"]
        bounds = ["(?=o)", "(?!l)", "(?<=l)", "(?<!e)", "\\b", "^", "$"]
        times = ["", "", "", "?", "*", "+", "++", "*?", "+?", "{2}", "{1,2}"]
        parts = [self.pick(*bounds) if self.rng.random() < 0.2 else self.pick(*atoms) + self.pick(*times)
                 for _ in range(self.rng.randint(1, 3))]
        if any(part.startswith(("(l)", "(?<x>")) for part in parts) and self.rng.random() < 0.5:
            parts.append("\\1")
        return "|".join(["".join(parts), self.pick(*atoms)]) if self.rng.random() < 0.2 else "".join(parts)

    def value(self):
        return self.pick(self.text_value, self.number, self.list_value, self.map_value, self.call)()

    # Expressions

    def math(self, depth=0):
        operand = lambda: self.number() if depth > 1 or self.rng.random() < 0.7 else f"({self.math(depth + 1)})"
        signs = ["+", "-", "*", "/", "%"] if self.stock else ["+", "-", "*"]
        return operand() + "".join(f" {self.pick(*signs)} {operand()}" for _ in range(self.rng.randint(1, 2)))

    def condition(self, depth=0):
        sign = self.pick("==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge")
        one = self.pick(
            lambda: f"{self.number()} {sign} {self.number()}",
            lambda: f"{self.text_value()} {self.pick('==', '!=')} {self.text_value()}",
            lambda: self.pick("$t", "$f", "!$t", "!$f", "not $f", "true", "false"),
            lambda: f"$list.contains({self.text_value()})",
            lambda: f"{self.value()} {self.pick('==', '!=')} {self.value()}",
            lambda: f"{self.missing()} {self.pick('==', '!=')} {self.value()}" if self.stock else "$t",
            lambda: self.pick(self.missing(), self.value(), f"!{self.missing()}") if self.stock else "$f",
        )()
        if depth < 2 and self.rng.random() < 0.3:
            return f"({one} {self.pick('&&', '||', 'and', 'or')} {self.condition(depth + 1)})"
        return one

    def expression(self):
        return self.pick(
            self.value, self.value, self.math, self.condition,
            lambda: f"{self.text_value()} + {self.value()}",
            lambda: f'"{self.many(self.piece_of_string, 0, 4)}"',
            lambda: self.missing() if self.stock else self.value(),
        )()

    def piece_of_string(self):
        return self.pick("x", " ", '""', "$name", "${n}", "$!nope", "$map.y ", "#if($t)y#end", "'", "\\", "#", "$ ", "é", "\\u0041", "$list")

    # Statements

    def reference(self):
        form = self.pick("${}", "$!{}", "$!", "$", "$")
        name = self.pick(self.value, self.value, self.missing)()
        if not name.startswith("$"):
            return ";" + name
        name = name[1:]
        if "{}" in form:
            return form.replace("{}", "{" + name + "}")
        return form + name

    def words(self):
        return self.pick("word", " ", "\n", "\n", "  ", ", ", "5", "$5 ", "# ;", "#fff ", "a@b.c", "{\"k\": \"v\"}", "é", "\\", "\\n", ";$$name", "$ ",
                         "100%", ";[x]", ";(y)", "\t", "\r\n", "'", "\"", "${} ", "#1 ", "\\\\", "$name.com ", "#$n ", "$name (", "$n-1 ")

    def directive(self, depth):
        block = lambda: self.block(depth + 1)
        end = lambda: self.pick("#end", "#end", "#end\n", "#{end}", "  #end  \n")
        line = lambda: self.pick("", "", "\n", "  \n", " ")
        return self.pick(
            lambda: f"#if({self.condition()}){line()}{block()}{end()}",
            lambda: f"#if({self.condition()}){line()}{block()}#{self.pick('else', '{else}')}{line()}{block()}{end()}".replace("#elsew", "#{else}w"),
            lambda: f"#if( {self.condition()} )\n{block()}\n#elseif({self.condition()})\n{block()}\n#{{else}}\n{block()}{end()}",
            lambda: f"#foreach($i in {self.list_value()}){line()}$i{block()}{self.pick('', '$foreach.index', '$foreach.count ', '#if($foreach.hasNext),#end', '$velocityCount', '#if($foreach.first)F#end', '#if($foreach.last)L#end')}{end()}",
            lambda: f"#foreach( $e in $map.entrySet() ){line()}$e.key=$e.value;{block()}{end()}",
            lambda: f"#foreach($v in $map)$v{self.pick('', '#break', '#if($foreach.count == 2)#break#end')}{end()}",
            lambda: f"#define($block){line()}{block()}#end$block",
            lambda: f"#[[{self.pick('raw $name #if', '', ' ]] ')}]]#",
            lambda: self.pick("## comment $name\n", "#* block $name *#", "#** formal *#", "##\n"),
            lambda: self.pick("\\$name", "\\\\$name", "\\#if", "\\\\#if($t)x#end", "\\${name}", "\\$nope", "\\\\$!nope", "\\#foo", "\\#{end}") if self.stock else "\\$name",
            lambda: self.pick("#nosuch", "#nosuch()", "#nosuch(1 'a' $n) ", "#nosuch ($list) "),
            lambda: self.macro(depth) if self.stock else "",
            lambda: self.pick("#stop", "") if self.rng.random() < 0.2 else "",
        )()

    def macro(self, depth):
        name = self.pick("m1", "m2")
        return f"#macro({name} $a $b)[$a{self.block(depth + 2)}$!b]#end#{name}({self.value()} {self.pick('', ', ')}{self.text_value()})"

    def set(self):
        target = self.pick("x", "y", "name", "map.x", "map.new", "map['k k']", "one.k", "list[0]", "nums[1]", "x")
        space = self.pick("", "", " ", "\n  ", "\t")
        value = self.expression()
        while any(view in value for view in ("keySet", "values()", "entrySet", "subList")):
            # In Java these follow what becomes of the map or list; here they are copies.
            value = self.expression()
        return f"{space}#set({self.pick('', ' ')}${target} = {value}{self.pick('', ' ')}){self.pick('', '', chr(10), '  ' + chr(10))}{self.pick('', '$!x', '$!y', '$map')}"

    def change(self):
        return self.pick("$list.add('z')", "$!map.put('p', 5)", "#set($ignore = $nums.remove(0))", "$!one.remove('k')", "$list.set(0, 'first')",
                         "#set($x = $list)$x.add($n)$list", "$!map.putAll({'q': [1]})", "$none.addAll([1, 2])")

    def api(self):
        path = self.pick(*PATHS)
        return self.pick(
            lambda: f"$input.path('{path}')", lambda: f'$input.json("{path}")',
            lambda: f"#foreach($q in $input.path('{path}'))$!q#if($foreach.hasNext),#end#end",
            lambda: self.pick("$input.params('id')", "$input.params('q')", "$input.params('X-Trace')", "$input.params().header",
                              "$input.params().querystring.q", "$input.body", "$input.params('nope')|"),
            lambda: f"$util.{self.pick('escapeJavaScript', 'urlEncode', 'base64Encode')}({self.pick(*TEXTS)})",
            lambda: "$util.base64Decode('aMOpbGxv')$util.urlDecode('a+b%26c')",
            lambda: "#set($j = $util.parseJson($input.path('$.json')))$j.k[1].z $j",
            lambda: self.pick("$context.requestId", "$context.identity.sourceIp", "${stageVariables.table}", "$stageVariables['table']", "$context.nope|"),
        )()

    def statement(self, depth):
        chance = self.rng.random()
        if not self.stock and chance < 0.25:
            return self.api()
        if chance < 0.45:
            return self.words()
        if chance < 0.7:
            return self.reference()
        if chance < 0.8:
            return self.set()
        if chance < 0.84:
            return self.change()
        return self.directive(depth) if depth < 3 else self.words()

    def block(self, depth):
        text = ""
        for _ in range(self.rng.randint(0, 3 if depth else 7)):
            text = self.join(text, self.statement(depth))
        return text

    def join(self, text, more):
        """Keeps apart what Velocity's lexer takes for one thing: it drops a `$` or `#` that turns out to be none before a directive,
        and goes on inside a reference after `$a.b#set()` and `$a.b$c`, where brackets then are no text."""
        if more.lstrip().startswith("#") and text.rstrip(" \t")[-1:] not in ("", "\n", ";"):
            return text + ";" + more
        return text + more

    def template(self):
        # A template may not end with '$' or '#'.
        body = self.join(self.block(0), self.block(0)) + "."
        if self.stock:
            return body
        names = ["name", "n", "neg", "d", "t", "f", "empty", "s", "u", "list", "nums", "none", "one", "map", "users"]
        return "".join(f"#set(${name} = $input.path('$.{name}'))" for name in names) + body


def main():
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {seed}", file=sys.stderr)
    rng = random.Random(seed)
    for number in range(count):
        stock = number % 2 == 0
        case = {"id": f"{seed}-{number}", "template": Grammar(rng, stock).template()}
        case["context" if stock else "apigw"] = CONTEXT if stock else APIGW
        print(json.dumps(case, ensure_ascii=False))


if __name__ == "__main__":
    main()
