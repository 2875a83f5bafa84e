use super::*;
use proptest::prelude::*;
use serde_json::json;

fn parsed(text: &str) -> Value {
    crate::model::json::parse(text).unwrap().value
}

fn run(text: &str, data: &str) -> Result<String, String> {
    let data = Arc::new(parsed(data));
    let state = Arc::new(json!({"total": 5, "items": [1, 2]}));
    let meta = Arc::new(json!({}));
    let inputs = Inputs {
        data: Some(&data),
        meta: Some(&meta),
        state: Some(&state),
        ..Inputs::default()
    };
    let expression = Expression::parse(text).map_err(|e| format!("{}: {}", e.at, e.message))?;
    expression
        .value(&inputs)
        .map(|value| value.to_string())
        .map_err(|fault| fault.detail)
}

const ORDER: &str = r#"{"sku":"a","price":29.99,"quantity":2,"big":12345678901234567890123456789012,
    "exp":1e2,"zero":0.00,"case":"c","none":null,"ok":true,"address":{"city":"X","odd key":1},
    "items":[{"price":1.10,"quantity":2},{"price":3,"quantity":1}],"list":[1,2.50,"x"]}"#;

#[test]
fn expressions_give_exact_values() {
    for (text, want) in [
        ("'Placed'", r#""Placed""#),
        (r#"'say "hi"'"#, r#""say \"hi\"""#),
        (r"'it\'s'", r#""it's""#),
        ("data.sku", r#""a""#),
        (r#"data["case"]"#, r#""c""#),
        ("data['case']", r#""c""#),
        (r#"data.address["odd key"]"#, "1"),
        ("data.items[1].price", "3"),
        ("data.items[-1].price", "3"),
        ("data.none", "null"),
        ("data.price * data.quantity", "59.98"),
        ("data.price + 0", "29.99"),
        ("0.00 + 1000.00", "1000.00"),
        ("data.zero + 1", "1.00"),
        ("10 / 4", "2.5"),
        ("6 / 3", "2"),
        ("1 / 3", "0.3333333333333333333333333333"),
        ("-data.price", "-29.99"),
        ("7 % 4", "3"),
        ("2 ** 10", "1024"),
        ("data.quantity == 2.0 && data.price > 29", "true"),
        ("2 > data.price || data.ok", "true"),
        ("!data.ok", "false"),
        ("data.sku + '-' + text(data.quantity)", r#""a-2""#),
        ("if data.ok { 'y' } else { 'n' }", r#""y""#),
        ("data.items.map(|i| i.price * i.quantity).sum()", "5.20"),
        ("data.items.filter(|i| i.price > data.zero).len()", "2"),
        ("data.items.len", "2"),
        ("data.items.len()", "2"),
        (
            "data.items.map(|i| i.price).reduce(|a, b| a + b, 0)",
            "4.10",
        ),
        ("state.items.contains(2)", "true"),
        ("2 in state.items", "true"),
        ("'sku' in data", "true"),
        (
            "has(data, 'address.city') && !has(data, 'address.zip')",
            "true",
        ),
        ("has(data, 'none')", "false"),
        ("get(data, 'address.zip', 'none')", r#""none""#),
        ("get(data, 'none', 3)", "3"),
        ("round(2.345, 2)", "2.34"),
        ("round(2.355, 2)", "2.36"),
        ("round(data.price)", "30"),
        ("number(' 12.50 ')", "12.50"),
        ("max(data.price, 30)", "30"),
        ("abs(-1.5)", "1.5"),
        (
            "#{b: data.price, a: data.address}",
            r#"{"a":{"city":"X","odd key":1},"b":29.99}"#,
        ),
        ("[data.sku, data.list]", r#"["a",[1,2.50,"x"]]"#),
        ("data.address", r#"{"city":"X","odd key":1}"#),
        ("data.address == #{city: 'X', \"odd key\": 1.0}", "true"),
        ("data.none == ()", "true"),
        ("data.address == ()", "false"),
        ("data.sku != 'b'", "true"),
        ("data.none ?? 'default'", r#""default""#),
        ("`${data.sku}!`", r#""a!""#),
        ("' x '.trim()", r#""x""#),
        ("switch data.sku { 'a' => 1, _ => 2 }", "1"),
        ("state.total + data.quantity", "7"),
        ("[3, 1.5, 2].order()", "[1.5,2,3]"),
        ("[3, 1.5, 2].order_desc()", "[3,2,1.5]"),
        ("data.items.order_by(|i| i.quantity)[0].price", "3"),
        ("'a-b-c'.replace('-', '+')", r#""a+b+c""#),
        ("'a-b-c'.split('-')", r#"["a","b","c"]"#),
        ("text(data.price) + text(data.ok)", r#""29.99true""#),
        (
            "`${data.price} ${data.ok} ${data.none}`",
            r#""29.99 true ""#,
        ),
        ("[1, 'x', ()].contains('x')", "true"),
        ("[1, 'x', ()].index_of(())", "2"),
        ("'x' in [1, 2.0]", "false"),
        ("2 in [1, 2.0, 'x']", "true"),
        ("[1, 'x'].index_of(|i| i == ())", "-1"),
        ("[1, 'x'] == ['x', 1.0]", "false"),
        ("[1, 'x'] == [1.0, 'x']", "true"),
        ("#{a: 1} == #{a: 'x'}", "false"),
        ("data.none == 0", "false"),
        ("data.none != 'a'", "true"),
        ("data.sku[0] == 'a'", "true"),
    ] {
        assert_eq!(run(text, ORDER).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn numbers_that_pass_through_keep_their_text() {
    for (text, want) in [
        ("data.big", "12345678901234567890123456789012"),
        ("data.exp", "1e2"),
        (
            "#{n: data.big}",
            r#"{"n":12345678901234567890123456789012}"#,
        ),
        ("[data.exp, data.zero]", "[1e2,0.00]"),
        (
            "if data.ok { data.big } else { 0 }",
            "12345678901234567890123456789012",
        ),
        ("data.exp + 1", "101"),
        ("data.big > data.exp", "true"),
        ("data.big == data.big", "true"),
        ("text(data.big)", r#""12345678901234567890123456789012""#),
    ] {
        assert_eq!(run(text, ORDER).as_deref(), Ok(want), "{text}");
    }
    assert_eq!(
        run("data.big + 1", ORDER),
        Err("12345678901234567890123456789012 does not fit 28 digits".to_owned())
    );
}

#[test]
fn what_goes_wrong_says_why() {
    for (text, want) in [
        (
            "data.missing",
            "there is no field `missing` (there is `sku`, `price`, `quantity`, `big`, `exp`, `zero`, `case`, `none`, 4 more)",
        ),
        ("data.sku.x", "there is no field `x`"),
        ("data.items[5]", "there is no element 5 (the list has 2)"),
        ("data.price / 0", "29.99 is divided by zero"),
        ("number('abc')", "\"abc\" is no number"),
        (
            "data.price * true",
            "there is no function or operator * (number, true or false)",
        ),
        (
            "1000000000000000000000 * 1000000000000000000000",
            "1000000000000000000000 * 1000000000000000000000 does not fit 28 digits",
        ),
        (
            "data.sku.map(|x| x)",
            "there is no function or operator map (text, Fn)",
        ),
        ("|x| x", "the result is Fn and cannot be kept in a state"),
        (
            "data.items.map(|outer| [1].map(|n| outer.n))",
            "`outer` belongs to a function around this one, which reads only its own arguments, data, meta, state and event",
        ),
    ] {
        let got = run(text, ORDER).unwrap_err();
        assert!(got.starts_with(want), "{text}: {got}");
    }
}

/// `??` stood in for null only, and failed where the field was missing, which is what people write it for.
#[test]
fn what_is_left_of_two_question_marks_may_be_missing() {
    for (text, want) in [
        ("data.missing ?? 0", "0"),
        ("data.zip ?? data.none ?? 'x'", r#""x""#),
        ("data.price ?? 0", "29.99"),
        ("data.address.zip ?? '?'", r#""?""#),
        ("data.address.city ?? '?'", r#""X""#),
        ("data.gone.city.name ?? '?'", r#""?""#),
        ("data . gone\n . city ?? '?'", r#""?""#),
        ("data['gone']['odd ]\" key'] ?? '?'", r#""?""#),
        ("data.address['odd key'] ?? 0", "1"),
        ("data.items[0].gone ?? 5", "5"),
        ("data.items[1].price ?? 5", "3"),
        ("data.items.map(|i| i.gone ?? i.price)", "[1.10,3]"),
        ("#{a: 1}.a", "1"),
        ("[#{a: 1}].map(|o| o.b ?? o.a)", "[1]"),
        ("data.price + (data.discount ?? 0)", "29.99"),
        ("data.discount ?? 0 == 0", "true"),
        ("`${data.nick ?? data.sku}: ??`", r#""a: ??""#),
        ("'data.gone ?? 1'", r#""data.gone ?? 1""#),
        ("data?.gone?.city ?? 1", "1"),
        ("if data.gone ?? false { 1 } else { 2 }", "2"),
        ("state.gone ?? state.total", "5"),
        ("data.items.len ?? 0", "2"),
        ("event ?? 3", "3"),
    ] {
        assert_eq!(run(text, ORDER).as_deref(), Ok(want), "{text}");
    }
    for (text, want) in [
        // Right of it, beside it and anywhere else a field that is not there stays an error.
        ("data.none ?? data.missing", "there is no field `missing`"),
        (
            "data.missing + (data.none ?? 0)",
            "there is no field `missing`",
        ),
        ("data.items[9] ?? 0", "there is no element 9"),
        ("(data.missing) ?? 0", "there is no field `missing`"),
        ("data.items.gone ?? 0", "a list has no field `gone`"),
        ("[#{a: 1}].map(|o| o.b)", "there is no field `b`"),
        ("data.missing ?? ", "16: "),
    ] {
        let got = run(text, ORDER).unwrap_err();
        assert!(got.starts_with(want), "{text}: {got}");
    }
}

/// A comparison of text or null with a number was false, and text plus a number one text, without a word: a limit
/// of `"100"` let every amount pass.
#[test]
fn values_of_different_kinds_are_not_compared_or_joined_in_silence() {
    let number = "write number(…) around the text";
    let null = "ask first with `!= ()` or has(…), or write get(object, 'field', value) or `?? value` for a value in its place";
    let order = "only two numbers or two texts have an order";
    let join =
        "write text(…) around what is to be joined to text, or number(…) around the text to add it";
    let equal = "compare values of one kind, or ask for the kind with type_of(…)";
    for (text, kinds, advice) in [
        ("data.sku > 1", "text > a number", number),
        ("data.exp <= data.sku", "a number <= text", number),
        ("data.big < '1'", "a number < text", number),
        ("data.sku == 1", "text == a number", number),
        ("1.5 != data.sku", "a number != text", number),
        ("data.none < 1", "null < a number", null),
        ("data.none >= data.sku", "null >= text", null),
        ("data.none > ()", "null > null", null),
        ("data.ok < true", "true or false < true or false", order),
        ("data.items > 1", "a list > a number", order),
        ("data.address == 1", "an object == a number", equal),
        ("[1] == 1", "a list == a number", equal),
        ("data.ok == 'true'", "true or false == text", equal),
        ("data.sku + 1", "text + a number", join),
        ("data.big + data.sku", "a number + text", join),
        ("data.sku + data.none", "text + null", join),
        ("data.sku + data.list", "text + a list", join),
        ("data.none + 1", "null + a number", null),
        ("data.none * 1", "null * a number", null),
        ("data.sku * 2", "text * a number", number),
        (
            "data.items.filter(|i| i.price > data.sku)",
            "a number > text",
            number,
        ),
    ] {
        assert_eq!(
            run(text, ORDER),
            Err(format!("{kinds} has no meaning: {advice}")),
            "{text}"
        );
    }
}

#[test]
fn errors_of_syntax_say_where() {
    for (text, at, want) in [
        ("dta.price", 0, "there is no variable `dta`"),
        ("1 + pirce", 4, "there is no variable `pirce`"),
        ("'a\"b' + x", 8, "there is no variable `x`"),
        ("data.price *", 12, ""),
        ("'abc", 0, "the text that starts here is not closed"),
        ("foo(1)", 0, "there is no function `foo`"),
        ("data.items.mapp(|x| x)", 11, "there is no function `mapp`"),
        ("let x = 1", 0, ""),
        ("data.x = 1", 7, ""),
        ("while true {}", 0, ""),
        ("1; 2", 1, ""),
        ("eval('1')", 0, ""),
        (
            "1 + 123456789012345678901234567890",
            4,
            "123456789012345678901234567890 is no number that can be calculated with: at most 28 digits",
        ),
        (
            "1.00000000000000000000000000001",
            0,
            "1.00000000000000000000000000001 does not fit 28 digits",
        ),
        ("", 0, "the expression is empty"),
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!(error.at, at, "{text}: {}", error.message);
        assert!(error.message.starts_with(want), "{text}: {}", error.message);
    }
}

#[test]
fn endless_and_exploding_expressions_end() {
    let large = "a value would grow too large: text holds at most 1048576 bytes";
    for (text, want) in [
        (
            "data.many.map(|a| data.many.map(|b| data.many.map(|c| c + 1)))",
            "it takes more than 1000000 steps",
        ),
        (
            "data.many.map(|a| data.many.map(|b| b + 1).len()).sum()",
            "it takes more than 1000000 steps",
        ),
        (
            "data.many.map(|a| data.many.map(|b| data.many.map(|c| c + 1).len()).sum()).sum()",
            "it takes more than 1000000 steps",
        ),
        (
            "data.many.map(|a| data.many.map(|b| data.long.replace('y', 'z').len()).sum()).sum()",
            "it takes more than 1000000 steps",
        ),
        ("data.long + data.long + data.long + data.long", large),
        (
            "data.long.replace('x', data.long)",
            "the text would be longer than 1048576 bytes",
        ),
        (
            "data.long.replace('', data.long)",
            "the text would be longer than 1048576 bytes",
        ),
        (
            "(|f| f.call(f)).call(|f| f.call(f))",
            "functions call one another more than 16 deep",
        ),
        ("data.many.reduce(|all, n| [all, all], 0)", large),
        ("data.many.reduce(|all, n| all + all, 'x')", large),
    ] {
        let many: Vec<u32> = (0..1000).collect();
        let data = json!({"many": many, "long": "x".repeat(400_000)}).to_string();
        let error = run(text, &data).unwrap_err();
        assert!(error.starts_with(want), "{text}: {error}");
    }
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert!(Expression::parse(&deep).is_err());
}

#[test]
fn an_expression_knows_what_it_reads() {
    let expression = Expression::parse("data.items.filter(|i| i.id == state.id)").unwrap();
    let read: Vec<_> = Root::ALL
        .into_iter()
        .filter(|root| expression.reads(*root))
        .collect();
    assert_eq!(read, [Root::Data, Root::State]);
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("data.price".to_owned()),
        Just("data.quantity".to_owned()),
        Just("data.exp".to_owned()),
        Just("data.big".to_owned()),
        Just("data.sku".to_owned()),
        Just("data.none".to_owned()),
        Just("data.ok".to_owned()),
        Just("data.address".to_owned()),
        Just("data.address.city".to_owned()),
        Just("data.items[0].price".to_owned()),
        Just("data.list[2]".to_owned()),
        Just("data.missing".to_owned()),
        Just("state.total".to_owned()),
        Just("'text'".to_owned()),
        Just("()".to_owned()),
        "[0-9]{1,3}(\\.[0-9]{1,3})?",
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec![
                    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"
                ]),
                inner.clone()
            )
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("if {a} {{ {b} }} else {{ {c} }}")),
            inner.clone().prop_map(|a| format!("has({a}, 'city')")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("get({a}, 'items[1].price', {b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_short_way_and_the_engine_agree(text in expressions()) {
        let data = Arc::new(parsed(ORDER));
        let state = Arc::new(json!({"total": 5, "items": [1, 2]}));
        let inputs = Inputs { data: Some(&data), state: Some(&state), ..Inputs::default() };
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        let short = expression.direct.as_ref().and_then(|node| node.run(&inputs));
        if let Some(short) = short {
            let long = expression.engine_value(&inputs).and_then(|value| lower(&value));
            prop_assert_eq!(Ok(short.into_value()), long, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[ -~'\"`{}()|&.,é]{0,40}") {
        let _ = run(&text, ORDER);
    }
}

const MANUAL: &str = include_str!("../../../../docs/models.md");

#[test]
fn every_example_of_the_manual_is_true() {
    let payload = MANUAL
        .split_once("With the payload `")
        .and_then(|(_, rest)| rest.split_once("`:"))
        .unwrap()
        .0;
    let rows: Vec<(String, String)> = MANUAL
        .split_once("| expression | gives |")
        .unwrap()
        .1
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<String> = line
                .replace("\\|", "\0")
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').replace('\0', "|"))
                .collect();
            (cells[1].clone(), cells[2].clone())
        })
        .collect();
    assert_eq!(rows.len(), 20);
    for (expression, value) in rows {
        assert_eq!(run(&expression, payload), Ok(value), "{expression}");
    }
}

#[test]
fn every_model_of_the_manual_is_one() {
    let models: Vec<&str> = MANUAL
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect();
    assert_eq!(models.len(), 7);
    for text in models {
        crate::model::Model::parse("manual", text).unwrap();
    }
}

#[test]
fn every_function_of_the_manual_is_there_and_every_other_is_in_it() {
    let listed = MANUAL
        .split_once("Functions: ")
        .and_then(|(_, rest)| rest.split_once("There are no loops"))
        .unwrap()
        .0;
    let listed: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    let quiet = ["to_string", "call", "merge", "to_json"];
    for name in &listed {
        assert!(functions::NAMES.contains(name), "{name} is no function");
    }
    for name in functions::NAMES {
        assert!(
            listed.contains(&name) || quiet.contains(&name),
            "{name} is not in the manual"
        );
    }
}
