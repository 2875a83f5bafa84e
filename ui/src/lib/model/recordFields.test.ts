import { describe, expect, it } from "vitest";
import { fieldsOf } from "./recordFields";

describe("fieldsOf", () => {
  it("names each leaf by its path, in the order of the record", () => {
    const fields = fieldsOf('{"b":1,"a":{"x.y":"ann","n":12345678901234567890.10},"l":[{"k":true},null],"e":{}}');
    expect(fields?.map((field) => `${field.path}=${field.value}`)).toEqual(["b=1", 'a."x.y"=ann', "a.n=12345678901234567890.10", "l.0.k=true", "l.1=null", "e={}"]);
  });

  it("knows what is no record", () => {
    expect(fieldsOf("[1]")).toBeNull();
    expect(fieldsOf('{"a":')).toBeNull();
  });
});
