/** A small log in the guide's manner, for drawing every view in a plain browser and in tests. */

import { formatInstant, parseInstant, SECOND } from "$lib/model/instant";
import { parseJson, type Json } from "$lib/model/json";

export interface MockEvent {
  position: number;
  stream: string;
  category: string;
  version: number;
  type: string;
  time: string;
  recorded_at: string;
  id: string;
  actor: string | null;
  correlation: string | null;
  causation: string | null;
  dataText: string;
  data: Json;
  metadata: Json;
}

type Row = [stream: string, type: string, time: string, data: string, actor?: string, correlation?: string];

const GUIDE: Row[] = [
  ["account-12345", "AccountOpened", "2024-01-01T00:00:00Z", '{"accountId":"12345","initialBalance":0.00,"currency":"USD"}', "teller-7"],
  ["user-123", "UserRegistered", "2024-01-01T10:00:00Z", '{"name":"John Smith","email":"john@oldcompany.com","department":"Engineering"}'],
  ["account-12345", "DepositMade", "2024-01-02T00:00:00Z", '{"amount":1000.00,"channel":"branch"}', "teller-7"],
  ["account-12345", "WithdrawalMade", "2024-01-03T00:00:00Z", '{"amount":50.00,"channel":"atm"}', "customer-12345"],
  ["account-12345", "DepositMade", "2024-01-10T00:00:00Z", '{"amount":500.00,"channel":"transfer"}', "customer-12345"],
  ["account-12345", "WithdrawalMade", "2024-01-15T00:00:00Z", '{"amount":202.17,"channel":"card"}', "customer-12345"],
  ["order-789", "OrderPlaced", "2024-01-15T10:30:00Z", '{"customerId":"cust-456","items":[{"productId":"prod-123","quantity":2,"price":29.99},{"productId":"prod-456","quantity":1,"price":49.99}],"totalAmount":109.97,"shippingAddress":{"street":"123 Main St","city":"Anytown","zipCode":"12345"}}', "user-789", "corr-abc123"],
  ["payment-551", "PaymentProcessed", "2024-01-15T10:30:04.250Z", '{"orderId":"order-789","amount":109.97,"reference":9007199254740993123}', "user-789", "corr-abc123"],
  ["inventory-prod-123", "InventoryReserved", "2024-01-15T10:30:04.250Z", '{"quantity":2,"orderId":"order-789"}', null as never, "corr-abc123"],
  ["user-123", "EmailChanged", "2024-01-15T14:30:00Z", '{"oldEmail":"john@oldcompany.com","newEmail":"john@newcompany.com","changedBy":"admin@company.com","reason":"Company transfer"}', "admin@company.com"],
  ["user-123", "DepartmentChanged", "2024-01-15T14:35:00Z", '{"oldDepartment":"Engineering","newDepartment":"Marketing","changedBy":"hr@company.com","effectiveDate":"2024-02-01"}', "hr@company.com"],
  ["order-789", "OrderShipped", "2024-01-17T08:12:45.123456Z", '{"carrier":"DHL","trackingNumber":"JD0146\\u202e00098","note":"leave at door\\u0007"}', "warehouse-2", "corr-abc123"],
  ["trade-t-100", "TradeExecuted", "2024-02-02T14:30:00.000000001Z", '{"symbol":"AAPL","quantity":100,"price":185.2500,"side":"BUY"}', "trader-9"],
];

const TYPES = ["OrderPlaced", "ItemAdded", "PaymentProcessed", "OrderShipped", "OrderCancelled"];
const ACTORS = ["anna@shop.example", "ben@shop.example", "api-gateway", "warehouse-2", null];

/** Numbers that look random and are the same each time. */
function* noise(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (state * 1103515245 + 12345) % 2147483648;
    yield state / 2147483648;
  }
}

function generated(count: number): Row[] {
  const rows: Row[] = [];
  const random = noise(7);
  const next = () => random.next().value as number;
  for (let i = 0; i < count; i++) {
    const day = Math.floor(next() ** 1.5 * 150);
    const ms = Date.UTC(2024, 0, 20) + day * 86_400_000 + Math.floor(next() * 50_000_000);
    const type = TYPES[Math.floor(next() ** 1.4 * TYPES.length)] ?? "OrderPlaced";
    const stream = `order-${1000 + Math.floor(next() * Math.max(40, count / 6))}`;
    const actor = ACTORS[Math.floor(next() * ACTORS.length)] ?? null;
    const amount = (next() * 400).toFixed(2);
    rows.push([stream, type, new Date(ms).toISOString().replace(".000Z", "Z"), `{"orderId":"${stream}","amount":${amount},"lines":${Math.floor(next() * 9)}}`, actor as never, i % 5 === 0 ? `corr-${Math.floor(i / 15)}` : undefined]);
  }
  return rows;
}

export function mockLog(extra: number): MockEvent[] {
  const versions = new Map<string, number>();
  const rows = [...GUIDE, ...generated(extra)].sort((a, b) => (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0));
  return rows.map((row, i) => {
    const version = (versions.get(row[0]) ?? 0) + 1;
    versions.set(row[0], version);
    return eventOf(row, i + 1, version);
  });
}

function eventOf([stream, type, time, dataText, actor, correlation]: Row, position: number, version: number): MockEvent {
  const metadata: Record<string, Json> = {};
  if (actor) metadata["userId"] = actor;
  if (correlation) metadata["correlationId"] = correlation;
  return {
    position,
    stream,
    category: stream.split("-")[0] ?? stream,
    version,
    type,
    time,
    recorded_at: "2026-11-23T18:00:00Z",
    id: `evt-${String(position).padStart(5, "0")}`,
    actor: actor ?? null,
    correlation: correlation ?? null,
    causation: null,
    dataText,
    data: parseJson(dataText),
    metadata,
  };
}

/** What another program appends: an event a minute after the last one. */
export function append(log: MockEvent[], streams: Map<string, MockEvent[]>, names: string[]): void {
  const position = log.length + 1;
  const stream = `order-${2000 + (position % 40)}`;
  const last = parseInstant(log.at(-1)?.time ?? "") ?? 0n;
  const own = streams.get(stream) ?? [];
  const event = eventOf([stream, TYPES[position % TYPES.length] ?? "OrderPlaced", formatInstant(last + 60n * SECOND), `{"orderId":"${stream}","amount":${position}.50}`, "live@shop.example"], position, own.length + 1);
  log.push(event);
  own.push(event);
  if (own.length === 1) {
    streams.set(stream, own);
    names.push(stream);
    names.sort();
  }
}
