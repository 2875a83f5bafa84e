// Runs the page's verifier in Node on every package of a folder: node page.mjs verifier.html FOLDER KEY
// Prints one JSON object: name -> {outcome, kinds}.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [page, folder, key] = process.argv.slice(2);
const script = readFileSync(page, 'utf8').split('<script>')[1].split('</script>')[0];
const { verifyPackage, readKey } = new Function(`${script}; return { verifyPackage, readKey };`)();
const answers = {};
for (const name of readdirSync(folder).sort()) {
  const bytes = new Uint8Array(readFileSync(join(folder, name)));
  const answer = await verifyPackage(bytes, [readKey(key)]);
  const { outcome, findings, facts } = answer;
  answers[name] = { outcome, kinds: [...new Set(findings.map((finding) => finding.kind))].sort(), unproven: facts ? facts.unproven : null };
}
console.log(JSON.stringify(answers));
