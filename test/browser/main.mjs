// The browser suite: main.mjs runs all of it, main.mjs WORD… only the chapters whose name holds a word.
import { deskMeetsPatient } from "./desk.mjs";
import { launch } from "./lib/browser.mjs";
import { cookiesOf } from "./lib/people.mjs";
import { ask, openPractice } from "./lib/practice.mjs";
import { chapter, tally } from "./lib/runner.mjs";
import * as pages from "./pages.mjs";
import * as signin from "./signin.mjs";

const only = process.argv.slice(2).map((w) => w.toLowerCase());
const wanted = (title) => only.length === 0 || only.some((w) => title.toLowerCase().includes(w));

const practice = await openPractice();
const browser = await launch();
const leave = async (code) => {
  await browser.close().catch(() => {});
  await practice.close();
  process.exit(code);
};
for (const s of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(s, () => leave(130));

try {
  const { origin, people } = practice;
  const house = { browser, origin, people, patient: people.find((p) => p.login.startsWith("amina")) };
  await chapter("Signing in", async () => (house.sessions = await signin.getIn(house)));
  // What later chapters stand on runs always.
  await chapter("The desk and the patient", () => deskMeetsPatient(house));
  await chapter("Every route has a page", () => pages.survey(house));
  house.words = await recordWords(house);

  const chapters = [
    ["Refused", signin.refusals],
    ["Asked and answered", pages.answered],
    ["Every link", pages.everyLink],
    ["Valid HTML", pages.markup],
    ["Every page, size, colour and language", pages.everyWhere],
    ["Without JavaScript", pages.plain],
    ["Weight", pages.cold],
    ["Offline", pages.offlineWorker],
    ["Keyboard", pages.keyboard],
    ["Paper and high contrast", pages.paper],
    ["The record taken home", pages.taken],
    ["Proving it again", signin.provedAgain],
    ["Security check-up", signin.checkup],
    ["Passkeys and leaving", async (h) => { await signin.passkeys(h); await signin.recovered(h); }],
  ];
  for (const [title, run] of chapters) if (wanted(title)) await chapter(title, () => run(house));
} catch (e) {
  console.error(e);
  tally();
  await leave(1);
}
await leave(tally() ? 0 : 1);

// recordWords are the names in the patients' own records: of medicines, conditions, allergies, and of the people themselves.
async function recordWords({ origin, sessions, people }) {
  const words = new Set();
  for (const p of people.filter((p) => !p.staff)) {
    for (const n of p.name.split(" ")) words.add(n);
    const { status, body } = await ask(origin, "/take/record.json", cookiesOf(sessions.get(p.login)));
    if (status !== 200) throw new Error(`the record of ${p.name} was not handed over: ${status}`);
    for (const { resource: r } of JSON.parse(body).entry ?? [])
      if (["Condition", "MedicationRequest", "AllergyIntolerance", "Observation", "DiagnosticReport", "Procedure", "Immunization"].includes(r.resourceType))
        for (const c of [r.code, r.medicationCodeableConcept, r.vaccineCode]) {
          for (const t of [c?.text, ...(c?.coding ?? []).map((x) => x.display)]) if (t && t.length > 3) words.add(t);
        }
  }
  return [...words];
}
