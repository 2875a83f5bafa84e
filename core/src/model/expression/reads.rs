//! Which fields an expression reads: what provenance shows beside a value.

use rhai::{AST, ASTFlags, ASTNode, Expr};

use super::Root;
use super::direct::step;
use crate::model::path::{FieldPath, Step};

/// The fields that an expression reads, each once.
pub(crate) fn paths(ast: &AST) -> Vec<(Root, FieldPath)> {
    let mut found = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        if let Some(read) = read_at(nodes)
            && !found.contains(&read)
        {
            found.push(read);
        }
        true
    });
    found
}

/// The field that is read where the walk stands on a variable.
fn read_at(nodes: &[ASTNode]) -> Option<(Root, FieldPath)> {
    let (ASTNode::Expr(own), above) = nodes.split_last()? else {
        return None;
    };
    let Expr::Variable(variable, ..) = own else {
        return None;
    };
    let mut whole: &Expr = own;
    let root = Root::of(&variable.1)?;
    let mut steps = Vec::new();
    let mut outer = above.last();
    if let Some(ASTNode::Expr(chain)) = outer
        && let Expr::Dot(pair, ..) | Expr::Index(pair, ..) = chain
        && let Expr::Variable(first, ..) = &pair.lhs
        && first.1 == variable.1
    {
        follow(chain, &mut steps);
        whole = chain;
        outer = above.len().checked_sub(2).and_then(|at| above.get(at));
    }
    // `has(data, 'a.b')` and `get(data, 'a.b', 0)` read that field of their first argument.
    if let Some(ASTNode::Expr(Expr::FnCall(call, _))) = outer
        && matches!(call.name.as_str(), "has" | "get")
        && call
            .args
            .first()
            .is_some_and(|first| std::ptr::eq(first, whole))
        && let Some(Expr::StringConstant(text, _)) = call.args.get(1)
        && let Ok(path) = text.parse::<FieldPath>()
    {
        steps.extend(path.0);
    }
    Some((root, FieldPath(steps)))
}

/// Takes the plain steps of a chain, up to the first call or computed index.
fn follow(chain: &Expr, steps: &mut Vec<Step>) {
    let (pair, flags, dotted) = match chain {
        Expr::Dot(pair, flags, _) => (pair, *flags, true),
        Expr::Index(pair, flags, _) => (pair, *flags, false),
        _ => return,
    };
    let ends = flags.intersects(ASTFlags::BREAK);
    match &pair.rhs {
        rest @ (Expr::Dot(inner, ..) | Expr::Index(inner, ..)) if !ends => {
            if let Some(next) = step(&inner.lhs, dotted) {
                steps.push(next);
                follow(rest, steps);
            }
        }
        last => steps.extend(step(last, dotted)),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::expression::Expression;

    #[test]
    fn what_is_read_is_known_in_every_form() {
        for (text, want) in [
            ("data.price * data.quantity", "data.price data.quantity"),
            ("data.items.map(|i| i.n).sum()", "data.items"),
            ("data.items[0].price", "data.items[0].price"),
            (
                "if has(data, 'new.x') { data.new_x } else { get(meta.a, 'b', state.c) }",
                "data.new.x data.new_x meta.a.b state.c",
            ),
            ("data['case'] + data", "data.case data"),
            ("state.total + event.version", "state.total event.version"),
            ("[data.sku, #{a: data.b.c.len()}]", "data.sku data.b.c"),
            ("item.sku == data.sku", "item.sku data.sku"),
            (
                "data.a.b ?? data['c-d'] ?? state.n",
                "data.a.b data[\"c-d\"] state.n",
            ),
            ("state.items.filter(|i| i.n > data.n)", "state.items data.n"),
        ] {
            let mut read: Vec<String> = Expression::parse(text)
                .unwrap()
                .paths()
                .iter()
                .map(|(root, path)| {
                    let path = path.to_string();
                    let dot = if path.is_empty() || path.starts_with('[') {
                        ""
                    } else {
                        "."
                    };
                    format!("{}{dot}{path}", root.name())
                })
                .collect();
            let mut want: Vec<&str> = want.split(' ').collect();
            // A function's arguments and bodies are not walked in the order written.
            read.sort();
            want.sort_unstable();
            assert_eq!(read, want, "{text}");
        }
    }
}
