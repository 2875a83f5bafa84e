import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "$lib/design/tokens.css";
import "$lib/design/base.css";
import { mount } from "svelte";
import { session } from "$lib/app/session.svelte";
import { theme } from "$lib/app/theme.svelte";
import { setClipboard } from "$lib/design/clipboard";
import { host } from "$lib/host/client";
import App from "./App.svelte";

document.documentElement.dataset["theme"] = theme.dark ? "dark" : "light";
setClipboard((text) => host.copyText(text));

const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
mount(App, { target });
void session.begin();
