// Pictures of every page at both sizes, light and dark, into docs/shots: main.mjs's survey finds the pages.
//   shots.mjs [WORD…]   only pictures whose name holds a word
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deskMeetsPatient } from "./desk.mjs";
import { desktop, launch, openWindow, phone, settle } from "./lib/browser.mjs";
import { openPractice } from "./lib/practice.mjs";
import { chapter, inLanes, tally } from "./lib/runner.mjs";
import { survey } from "./pages.mjs";
import { getIn } from "./signin.mjs";

const out = fileURLToPath(new URL("../../docs/shots/", import.meta.url));
const only = process.argv.slice(2);
const tallest = 2600;
const sizes = {
  desktop: { viewport: { ...desktop, width: 1280 } },
  phone: { viewport: phone, deviceScaleFactor: 2 },
};

// The few that are kept with the code, each under 120 KB.
const kept = [
  { name: "home-desktop", page: "home", size: "desktop", height: 1180 },
  { name: "home-phone", page: "home", size: "phone", height: phone.height },
  { name: "home-phone-dark", page: "home", size: "phone", height: phone.height, colour: "dark" },
  { name: "home-phone-ar", page: "home", size: "phone", height: phone.height, lang: "ar" },
  { name: "result-desktop", page: "results.one", size: "desktop", height: 1200 },
  { name: "result-phone", page: "results.one", size: "phone", height: 1400 },
  { name: "looked-desktop", page: "privacy.looked", size: "desktop", height: 900 },
  { name: "desk-record-desktop", page: "desk-records.overview", size: "desktop", height: 900 },
];

const nameOf = (p) => (p.path.startsWith("/desk/") && p.route.for === "record" ? "desk-" : "") + p.route.name;

async function picture(window, { path, file, height, keep }) {
  const { page, context } = window;
  await page.goto(path, { waitUntil: "load" });
  await settle(page);
  // What sticks to the window would stand in the middle of a tall picture.
  const { width, height: seen } = page.viewportSize();
  let tall = seen;
  if (!height || height > seen) {
    await page.evaluate(() => {
      for (const e of document.querySelectorAll(".top, .band--desk, .side nav, .dock")) e.style.position = "static";
    });
    tall = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), height ?? tallest);
  }
  const clip = { x: 0, y: 0, width, height: tall };
  if (!keep) return page.screenshot({ path: file, fullPage: true, clip, timeout: 60_000 });
  const cdp = await context.newCDPSession(page);
  const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: 80, captureBeyondViewport: true, clip: { ...clip, scale: 1 } });
  await cdp.detach();
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > 120 * 1024) throw new Error(`${file} is too large to keep: ${bytes.length} bytes`);
  writeFileSync(file, bytes);
}

if (only.length === 0) rmSync(`${out}all`, { recursive: true, force: true });
mkdirSync(`${out}all`, { recursive: true });
const practice = await openPractice();
const browser = await launch();
try {
  const { origin, people } = practice;
  const house = { browser, origin, people, patient: people.find((p) => p.login.startsWith("amina")) };
  await chapter("Signing in", async () => (house.sessions = await getIn(house)));
  await chapter("The desk and the patient", () => deskMeetsPatient(house));
  // Who looked is told of one visit, before the survey below opens everything there is.
  const looked = { ...kept.find((k) => k.page === "privacy.looked"), path: "/looked", who: house.patient, keep: true };
  const early = await openWindow(browser, origin, { ...sizes[looked.size], baseURL: origin, lang: "en", session: house.sessions.get(house.patient.login) });
  await picture(early, { ...looked, file: `${out}${looked.name}.webp` });
  await early.close();
  await chapter("Every route has a page", () => survey(house));
  const pages = house.pages.filter((p) => p.answer.type.startsWith("text/html") && !p.answer.headers["content-disposition"] && p.answer.status === 200);
  const kind = (name) => pages.find((p) => nameOf(p) === name) ?? fail(name);
  const jobs = kept.filter((k) => k.page !== looked.page).map((k) => ({ ...k, ...kind(k.page), file: `${out}${k.name}.webp`, keep: true }));
  for (const p of pages)
    for (const size of Object.keys(sizes)) for (const colour of ["light", "dark"]) jobs.push({ ...p, size, colour, name: nameOf(p), file: `${out}all/${nameOf(p)}-${size}-${colour}.png` });
  const wanted = jobs.filter((j) => only.length === 0 || only.some((w) => j.file.slice(out.length).includes(w)));
  const open = async () => {
    const windows = new Map();
    return {
      async window({ who, size, colour = "light", lang = "en" }) {
        const key = [who?.login, size, colour, lang].join();
        if (!windows.has(key)) windows.set(key, await openWindow(browser, origin, { ...sizes[size], baseURL: origin, lang, colorScheme: colour, session: who ? house.sessions.get(who.login) : undefined }));
        return windows.get(key);
      },
      close: () => Promise.all([...windows.values()].map((w) => w.close())),
    };
  };
  await inLanes(2, wanted, open, async (lane, job) => {
    const window = await lane.window(job);
    await picture(window, job).catch(() => picture(window, job)); // a busy machine gets a second try
  });
  console.log(`\n${wanted.length} pictures in docs/shots`);
} catch (e) {
  console.error(e);
  process.exitCode = 1;
} finally {
  await browser.close();
  await practice.close();
}

function fail(name) {
  throw new Error(`no page is called ${name}`);
}
