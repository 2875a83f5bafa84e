/** The desktop transport: commands of the Tauri host. */

import { Channel, invoke } from "@tauri-apps/api/core";
import { parseJson } from "$lib/model/json";
import type { Transport } from "./commands";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Bytes arrive as a buffer; over the slower fallback bridge as an array of numbers. */
function decode(answer: unknown): unknown {
  if (answer === null || answer === undefined) return null;
  if (answer instanceof ArrayBuffer || ArrayBuffer.isView(answer)) return parseBytes(new Uint8Array(answer as ArrayBuffer));
  if (Array.isArray(answer) && answer.every((byte) => typeof byte === "number")) return parseBytes(Uint8Array.from(answer));
  return answer;
}

function parseBytes(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? null : parseJson(decoder.decode(bytes));
}

export const transport: Transport = {
  async call(command, args, onProgress) {
    if (!onProgress) return decode(await invoke(command, { args }));
    const channel = new Channel<unknown>();
    channel.onmessage = onProgress;
    return decode(await invoke(command, { args: { ...args, channel } }));
  },
};
