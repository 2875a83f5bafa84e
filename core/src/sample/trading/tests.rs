//! The broker's rules, one by one.

use super::rules::*;
use crate::command::{Amount, Given, given};

fn opened() -> AccountEvent {
    AccountEvent::AccountOpened {
        account_id: "account-1".to_owned(),
        owner: "Ada".to_owned(),
        currency: "USD".to_owned(),
    }
}

fn deposited(cents: i64) -> AccountEvent {
    AccountEvent::FundsDeposited {
        amount: Amount::cents(cents),
        reference: "wire".to_owned(),
    }
}

fn placed(order: &str, side: Side, quantity: u64, cents: i64) -> Placed {
    Placed {
        order_id: order.to_owned(),
        account_id: "account-1".to_owned(),
        symbol: "ACME".to_owned(),
        side,
        quantity,
        limit: Amount::cents(cents),
    }
}

fn executed(placed: &Placed, quantity: u64, cents: i64, remaining: u64) -> Executed {
    Executed {
        order_id: placed.order_id.clone(),
        account_id: placed.account_id.clone(),
        symbol: placed.symbol.clone(),
        side: placed.side,
        quantity,
        price: Amount::cents(cents),
        amount: Amount::cents(cents * quantity as i64),
        limit: placed.limit,
        remaining,
    }
}

fn may(side: Side, quantity: u64, cents: i64) -> AccountCommand {
    AccountCommand::MayPlace {
        symbol: "ACME".to_owned(),
        side,
        quantity,
        limit: Amount::cents(cents),
    }
}

/// 1,000.00 deposited, 10 ACME bought at 40.00: 600.00 are left.
fn account() -> Given<Account> {
    let bought = placed("order-1", Side::Buy, 10, 5000);
    let paid = executed(&bought, 10, 4000, 0);
    given::<Account>([opened(), deposited(100000)])
        .linked(AccountEvent::OrderPlaced(bought), "account")
        .linked(AccountEvent::OrderExecuted(paid), "account")
}

#[test]
fn cash_covers_buys_also_where_it_is_promised_to_open_orders() {
    account().when(may(Side::Buy, 6, 10000)).then([]);
    account()
        .when(may(Side::Buy, 6, 10001))
        .then_rejected("cash-covers-buys");
    let open = AccountEvent::OrderPlaced(placed("order-2", Side::Buy, 1, 50000));
    account()
        .linked(open.clone(), "account")
        .when(may(Side::Buy, 1, 10001))
        .then_rejected("cash-covers-buys");
    let order_id = "order-2".to_owned();
    account()
        .linked(open, "account")
        .linked(AccountEvent::OrderCancelled { order_id }, "account")
        .when(may(Side::Buy, 6, 10000))
        .then([]);
}

#[test]
fn shares_cover_sales_also_where_they_are_promised_to_open_orders() {
    account().when(may(Side::Sell, 10, 1)).then([]);
    account()
        .when(may(Side::Sell, 11, 1))
        .then_rejected("position-covers-sells");
    let open = placed("order-2", Side::Sell, 4, 100);
    account()
        .linked(AccountEvent::OrderPlaced(open.clone()), "account")
        .when(may(Side::Sell, 7, 1))
        .then_rejected("position-covers-sells");
    // Two of the four are sold: eight are left, two of them promised.
    let sold = AccountEvent::OrderExecuted(executed(&open, 2, 100, 2));
    account()
        .linked(AccountEvent::OrderPlaced(open), "account")
        .linked(sold, "account")
        .when(may(Side::Sell, 6, 1))
        .then([]);
}

#[test]
fn dividends_are_paid_on_what_is_held_and_rounded_half_to_even() {
    let pay = |symbol: &str, thousandths| AccountCommand::PayDividend {
        symbol: symbol.to_owned(),
        per_share: Amount(rust_decimal::Decimal::new(thousandths, 4)),
    };
    account()
        .when(pay("ACME", 1_225))
        .then([AccountEvent::DividendReceived {
            symbol: "ACME".to_owned(),
            shares: 10,
            per_share: "0.1225".parse().unwrap(),
            amount: "1.22".parse().unwrap(),
        }]);
    account()
        .when(pay("BOLT", 1_225))
        .then_rejected("dividend-for-shares-held");
}

#[test]
fn an_account_closes_when_it_is_settled_and_pays_out_what_is_left() {
    let reason = || "moves".to_owned();
    let close = || AccountCommand::Close { reason: reason() };
    account()
        .when(close())
        .then_rejected("close-only-when-settled");
    let open = AccountEvent::OrderPlaced(placed("order-2", Side::Buy, 1, 100));
    given::<Account>([opened()])
        .linked(open, "account")
        .when(close())
        .then_rejected("close-only-when-settled");
    let closed = AccountEvent::AccountClosed {
        paid_out: Amount::cents(500),
        reason: reason(),
    };
    given::<Account>([opened(), deposited(500)])
        .when(close())
        .then([closed.clone()]);
    given::<Account>([opened(), deposited(500), closed])
        .when(may(Side::Buy, 1, 1))
        .then_rejected("account-is-open");
    given::<Account>([])
        .when(close())
        .then_rejected("account-is-open");
    let open = AccountCommand::Open {
        account_id: "account-1".to_owned(),
        owner: "Ada".to_owned(),
    };
    given::<Account>([opened()])
        .when(open)
        .then_rejected("opened-once");
    let nothing = AccountCommand::Deposit {
        amount: Amount::ZERO,
        reference: String::new(),
    };
    given::<Account>([opened()])
        .when(nothing)
        .then_rejected("deposit-positive");
}

#[test]
fn an_order_is_executed_within_its_limit_and_its_quantity_and_while_it_is_open() {
    let buy = placed("order-1", Side::Buy, 10, 5000);
    let order = |then: Vec<TradeOrderEvent>| {
        let first = TradeOrderEvent::OrderPlaced(buy.clone());
        given::<TradeOrder>(std::iter::once(first).chain(then))
    };
    let execute = |quantity, cents| TradeOrderCommand::Execute {
        quantity,
        price: Amount::cents(cents),
    };
    let part = TradeOrderEvent::OrderExecuted(executed(&buy, 4, 4900, 6));
    order(vec![]).when(execute(4, 4900)).then([part.clone()]);
    order(vec![part.clone()])
        .when(execute(7, 4900))
        .then_rejected("never-execute-more-than-ordered");
    order(vec![])
        .when(execute(1, 5001))
        .then_rejected("price-within-limit");
    let rest = TradeOrderEvent::OrderExecuted(executed(&buy, 6, 4900, 0));
    order(vec![part.clone(), rest])
        .when(execute(1, 4900))
        .then_rejected("order-is-open");
    let again = TradeOrderCommand::Place(buy.clone());
    order(vec![]).when(again).then_rejected("placed-once");
    let none = TradeOrderCommand::Place(placed("order-2", Side::Buy, 0, 1));
    given::<TradeOrder>([])
        .when(none)
        .then_rejected("order-positive");
    let sell = TradeOrderEvent::OrderPlaced(placed("order-3", Side::Sell, 5, 5000));
    given::<TradeOrder>([sell])
        .when(execute(1, 4999))
        .then_rejected("price-within-limit");
}
