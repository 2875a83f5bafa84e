// Opens the verifier page from disk in a headless Chromium, hands it packages as a user would, and prints what it says:
//   node chromium.mjs PAGE.html KEY PACKAGE…            one JSON object: path -> {outcome, kinds, text}
// SHOTS=FOLDER in the environment also saves pictures of the first package, light and dark.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [page, key, ...packages] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'annals-chromium-'));
const browser = spawn(process.env.CHROMIUM ?? 'chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const gone = new Promise((_, reject) => browser.once('error', reject));
const waiting = new Map();
const events = new Map();
let number = 0, buffered = '';
browser.stdio[4].on('data', (bytes) => {
  buffered += bytes;
  for (let end = buffered.indexOf('\0'); end >= 0; end = buffered.indexOf('\0')) {
    const message = JSON.parse(buffered.slice(0, end));
    buffered = buffered.slice(end + 1);
    if (message.id) waiting.get(message.id)(message);
    else if (events.has(message.method)) { events.get(message.method)(message.params); events.delete(message.method); }
  }
});
let session;
const call = (method, params = {}) => new Promise((done, failed) => {
  waiting.set(++number, (message) => message.error ? failed(new Error(`${method}: ${message.error.message}`)) : done(message.result));
  browser.stdio[3].write(JSON.stringify({ id: number, method, params, ...(session ? { sessionId: session } : {}) }) + '\0');
});
const once = (method) => new Promise((done) => events.set(method, done));
const evaluate = async (expression) => {
  const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
};
const answered = `new Promise((done) => {
  const look = () => {
    const verdict = document.querySelector('[data-outcome]'), alert = document.querySelector('[role=alert]');
    if (verdict || alert) done({
      outcome: verdict ? verdict.dataset.outcome : 'failed',
      kinds: [...new Set(Array.from(document.querySelectorAll('#findings [data-kind]'), (row) => row.dataset.kind))].sort(),
      text: document.getElementById('answer').innerText,
    });
    return verdict || alert;
  };
  if (!look()) new MutationObserver((_, observer) => { if (look()) observer.disconnect(); }).observe(document.body, { subtree: true, childList: true });
})`;

async function run() {
  const { targetInfos } = await call('Target.getTargets');
  const target = targetInfos.find((each) => each.type === 'page');
  ({ sessionId: session } = await call('Target.attachToTarget', { targetId: target.targetId, flatten: true }));
  for (const domain of ['Page', 'Runtime', 'DOM']) await call(`${domain}.enable`);
  await call('Emulation.setDeviceMetricsOverride', { width: 1100, height: 1400, deviceScaleFactor: 1, mobile: false });
  const answers = {};
  for (const [n, file] of packages.entries()) {
    const loaded = once('Page.loadEventFired');
    await call('Page.navigate', { url: pathToFileURL(resolve(page)).href });
    await loaded;
    if (key) await evaluate(`document.getElementById('key').value = ${JSON.stringify(key)}`);
    const { root } = await call('DOM.getDocument');
    const { nodeId } = await call('DOM.querySelector', { nodeId: root.nodeId, selector: '#file' });
    await call('DOM.setFileInputFiles', { nodeId, files: [resolve(file)] });
    answers[file] = await evaluate(answered);
    if (process.env.SHOTS && n === Number(process.env.SHOT ?? 0)) {
      for (const scheme of ['light', 'dark']) {
        await call('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
        const { data } = await call('Page.captureScreenshot', { captureBeyondViewport: true });
        writeFileSync(join(process.env.SHOTS, `verifier-${scheme}.png`), Buffer.from(data, 'base64'));
      }
    }
  }
  return answers;
}
try {
  console.log(JSON.stringify(await Promise.race([run(), gone])));
} catch (error) {
  console.error(error.code === 'ENOENT' ? 'no chromium' : error.stack);
  process.exitCode = error.code === 'ENOENT' ? 9 : 1;
} finally {
  const ended = new Promise((done) => browser.once('exit', done));
  if (browser.kill()) await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
