// Every page, in every size, colour and language: what must hold everywhere.
import { desktop, openWindow, phone, settle } from "./lib/browser.mjs";
import { accessible, alive, bigEnough, discreet, fits, quiet, sendable, spaced, uncut, validHTML, walk } from "./lib/checks.mjs";
import { cookiesOf } from "./lib/people.mjs";
import { ask } from "./lib/practice.mjs";
import { expect, inLanes, none, test } from "./lib/runner.mjs";
import { crawl, routeOf, routes } from "./routes.mjs";

const lanes = Number(process.env.LANES ?? 3);
const budget = { html: 8 * 1024, deskHTML: 14 * 1024, cold: 60 * 1024, requests: 10 };

// Pages that only a step before them opens; signin.mjs goes there.
const reachedElsewhere = new Set([
  "/signin/code", "/signin/recovery", "/signin/setup", "/signin/again", "/session/exit", "/signout", "/security/passkeys/{id}",
]);
const anybodys = ["/signin", "/signin/start", "/help", "/privacy", "/accessibility", "/offline", "/gallery", "/manifest.webmanifest", "/robots.txt", "/healthz", "/favicon.ico"];

// survey follows every link of everybody and keeps, for each route, the first address that fits it.
export async function survey(house) {
  const { origin, sessions, people } = house;
  const all = routes();
  const found = []; // {path, answer, who}
  for (const person of people) {
    const cookies = cookiesOf(sessions.get(person.login));
    const own = person.staff ? ["/desk", "/desk/find"] : ["/", "/security", "/security/app", "/security/password", "/security/recovery"];
    if (person.role === "clinician") own.push(house.record, `${house.record}/record`);
    const links = await crawl(origin, cookies, { start: own, all, perKind: person === house.patient ? 6 : 3 });
    for (const [path, answer] of links) found.push({ path, answer, who: person });
  }
  for (const path of anybodys) found.push({ path, answer: await ask(origin, path), who: null });
  house.found = found;
  house.pages = [];
  for (const r of all) {
    if (reachedElsewhere.has(r.path)) continue;
    const fitting = found.filter((f) => routeOf(all, f.path) === r && mayEnter(r, f.who));
    const best = fitting.find((f) => f.who === house.patient || f.who?.role === "clinician") ?? fitting[0];
    await test(`${r.pattern} has a representative`, () => {
      expect(best, "no link on any page leads there");
      expect(best.answer.status === (redirects[r.path] ?? 200), `${best.path}: status ${best.answer.status}`);
    });
    if (best) house.pages.push({ ...best, route: r });
  }
}

const redirects = { "/desk/{patient}": 303, "/favicon.ico": 301 };
const mayEnter = (r, who) => ({ anyone: who === null, portal: who && !who.staff, desk: who?.staff, record: who?.staff })[r.for] ?? who !== null;

const isPage = ({ answer }) => answer.type.startsWith("text/html") && !answer.headers["content-disposition"] && answer.status === 200;
const isDesk = (path) => path.startsWith("/desk");

// everyLink asks what needs no browser of all pages found.
export async function everyLink({ found, words, origin }) {
  largest(found, "portal");
  largest(found, "desk");
  const title = (html) => /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? "";
  for (const f of found) {
    const { answer, path, who } = f;
    await test(`${path} for ${who?.name ?? "anybody"}`, async () => {
      expect(answer.status === 200 || (answer.status >= 300 && answer.status < 400 && answer.headers.location.startsWith("/")), `status ${answer.status}`);
      for (const h of ["content-security-policy", "x-content-type-options", "referrer-policy"]) expect(answer.headers[h], `no ${h}`);
      if (who) expect(/no-store/.test(answer.headers["cache-control"]), "may be stored by a cache");
      if (!answer.type.startsWith("text/html") || answer.status !== 200) return;
      const html = answer.body.toString();
      const foreign = [...html.matchAll(/<(?:img|script|link|iframe|video|audio|source|object|embed|form|use)\b[^>]*?\b(?:src|href|action|data|srcset)="([^"]+)"/g)]
        .map((m) => m[1])
        .filter((u) => new URL(u, origin).origin !== origin && !u.startsWith("data:"));
      none(foreign, "foreign address");
      none([...html.matchAll(/<[a-z][^>]*\s(?:style|on[a-z]+)="[^"]*"/g)].map((m) => m[0]), "inline style or script");
      if (answer.headers["content-disposition"]) return;
      discreet(title(html), path.split("?")[0], words);
      const most = isDesk(path) ? budget.deskHTML : budget.html;
      if (path !== "/gallery") expect(answer.bytes <= most, `${answer.bytes} bytes of HTML, the budget is ${most}`);
    });
  }
}

// largest names the heaviest page of each kind, to be seen before a budget is broken.
function largest(found, kind) {
  const pages = found.filter((f) => f.answer.type.startsWith("text/html") && !f.answer.headers["content-disposition"] && f.path !== "/gallery" && isDesk(f.path) === (kind === "desk"));
  const top = pages.sort((a, b) => b.answer.bytes - a.answer.bytes)[0];
  console.log(`  heaviest ${kind} page: ${top.path} ${(top.answer.bytes / 1024).toFixed(1)} KB of HTML`);
}

export async function markup({ pages }) {
  for (const p of pages.filter((p) => p.answer.type.startsWith("text/html") && p.answer.status === 200))
    await test(`${p.path} is valid HTML`, () => validHTML(p.answer.body.toString()));
}

// everyWhere shows each page in both languages, sizes and colours, and then as narrow as pages get.
export async function everyWhere(house) {
  const { browser, origin, sessions } = house;
  const jobs = house.pages.filter(isPage).flatMap((p) => ["en", "ar"].map((lang) => ({ ...p, lang })));
  const open = async () => {
    const windows = new Map();
    return {
      async window(who, lang) {
        const key = `${who?.login} ${lang}`;
        if (!windows.has(key)) windows.set(key, await openWindow(browser, origin, { baseURL: origin, lang, session: who ? sessions.get(who.login) : undefined }));
        return windows.get(key);
      },
      close: () => Promise.all([...windows.values()].map((w) => w.close())),
    };
  };
  await inLanes(lanes, jobs, open, async (lane, { path, who, lang }) => {
    const w = await lane.window(who, lang);
    const { page } = w;
    w.wrongs.length = 0;
    const say = (what) => `${path} · ${lang} · ${what}`;
    await page.setViewportSize(desktop);
    await page.emulateMedia({ colorScheme: "light" });
    await test(say("opens"), async () => {
      const answer = await page.goto(path, { waitUntil: "load" });
      expect(answer.status() === 200, `status ${answer.status()}`);
      await settle(page);
      const [l, dir] = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
      expect(l === lang && dir === (lang === "ar" ? "rtl" : "ltr"), `lang ${l}, dir ${dir}`);
      await sendable(page);
    });
    await test(say("desktop, light"), async () => {
      await accessible(page);
      await fits(page);
    });
    await page.emulateMedia({ colorScheme: "dark" });
    await test(say("desktop, dark"), () => accessible(page, { contrastOnly: true }));
    await page.setViewportSize(phone);
    await test(say("phone, dark"), () => accessible(page, { contrastOnly: true }));
    await page.emulateMedia({ colorScheme: "light" });
    await test(say("phone, light"), async () => {
      await accessible(page);
      await fits(page);
      await uncut(page);
      await bigEnough(page);
    });
    await page.setViewportSize({ width: 320, height: 640 });
    await test(say("320 px"), () => fits(page));
    await test(say("320 px, spaced letters"), async () => {
      await spaced(page, true);
      await fits(page);
    });
    await test(say("no complaint of the browser, nothing asked of others"), () => quiet(w));
  });
}

// plain shows each page without JavaScript, in Spanish.
export async function plain(house) {
  const { browser, origin, sessions } = house;
  const people = [...new Set(house.pages.map((p) => p.who))];
  for (const who of people) {
    const w = await openWindow(browser, origin, { baseURL: origin, lang: "es", viewport: phone, javaScriptEnabled: false, session: who ? sessions.get(who.login) : undefined });
    for (const { path } of house.pages.filter((p) => p.who === who && isPage(p)))
      await test(`${path} without JavaScript`, async () => {
        const answer = await w.page.goto(path, { waitUntil: "load" });
        expect(answer.status() === 200, `status ${answer.status()}`);
        expect((await w.page.getAttribute("html", "lang")) === "es", "not in Spanish");
        expect(await w.page.locator("h1").first().isVisible(), "no heading is shown");
        await alive(w.page);
        await sendable(w.page);
        await fits(w.page);
        quiet(w);
      });
    await w.close();
  }
}

// answered are pages that answer a form or a mistake: they have no address of their own.
export async function answered({ browser, origin, sessions, patient, record }) {
  const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(patient.login) });
  const { page } = w;
  const both = async () => {
    for (const size of [desktop, phone]) {
      await page.setViewportSize(size);
      await settle(page);
      await accessible(page);
      await fits(page);
    }
    w.wrongs.splice(0, w.wrongs.length, ...w.wrongs.filter((x) => !x.includes("status of 404")));
    quiet(w);
  };
  await test("A search answers, and stands in no address", async () => {
    await page.goto("/results");
    await page.fill("[name=q]", "cholesterol");
    await page.click("form[role=search] button[type=submit]");
    await page.waitForSelector("main [role=status]");
    expect(page.url() === `${origin}/results`, `the words stand in ${page.url()}`);
    expect((await page.inputValue("[name=q]")) === "cholesterol", "the words are gone from the form");
    await both();
  });
  await test("A search that finds nothing leads on", async () => {
    await page.fill("[name=q]", "no such test");
    await page.click("form[role=search] button[type=submit]");
    await page.waitForSelector("main .empty a");
    await both();
  });
  await test("A page that is not there, and a record that is not yours, answer alike", async () => {
    const seen = [];
    for (const path of ["/nowhere", "/results/aaaaaaaaaaaaaaaa", `${record}/record`]) {
      const answer = await page.goto(path);
      expect(answer.status() === 404, `${path}: status ${answer.status()}`);
      seen.push((await page.textContent("h1")).trim());
      await both();
    }
    expect(new Set(seen).size === 1, `told apart: ${seen}`);
  });
  await w.close();
}

// cold loads a page into an empty browser and weighs everything that crossed the wire.
export async function cold(house) {
  const { browser, origin, sessions } = house;
  const weigh = house.pages.filter((p) => ["/{$}", "/results/{id}", "/results", "/signin", "/desk/{patient}/record"].includes(p.route.path));
  for (const { path, who } of weigh)
    await test(`${path} cold`, async () => {
      const w = await openWindow(browser, origin, { baseURL: origin, session: who ? sessions.get(who.login) : undefined });
      const cdp = await w.context.newCDPSession(w.page);
      await cdp.send("Network.enable");
      let bytes = 0;
      let count = 0;
      cdp.on("Network.loadingFinished", (e) => { bytes += e.encodedDataLength; count++; });
      await w.page.goto(path, { waitUntil: "load" });
      await settle(w.page);
      await w.page.waitForTimeout(300);
      await w.close();
      console.log(`  ${path}: ${(bytes / 1024).toFixed(1)} KB in ${count} requests`);
      expect(bytes > 0 && bytes <= budget.cold, `${bytes} bytes, the budget is ${budget.cold}`);
      expect(count <= budget.requests, `${count} requests, the budget is ${budget.requests}`);
    });
}

// offlineWorker keeps static files and one page that says nothing of anybody.
export async function offlineWorker({ browser, origin, sessions, patient }) {
  await test("The service worker keeps static files and the offline page only", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(patient.login) });
    await w.page.goto("/results");
    await w.page.evaluate(() => navigator.serviceWorker.ready);
    await w.page.goto("/medicines");
    const kept = await w.page.evaluate(async () => {
      const out = [];
      for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) out.push(new URL(r.url).pathname);
      return out;
    });
    expect(kept.includes("/offline"), "no offline page");
    none(kept.filter((p) => p !== "/offline" && !p.startsWith("/a/")), "kept on the device");
    await w.context.setOffline(true);
    await w.page.goto("/results").catch(() => {});
    const text = await w.page.textContent("main");
    expect(!text.includes(patient.name), "a name is shown offline");
    await w.context.setOffline(false);
    await w.close();
  });
}

export async function keyboard(house) {
  const { browser, origin, sessions } = house;
  const walked = house.pages.filter((p) => ["/{$}", "/results", "/results/{id}", "/security", "/desk/find", "/desk/{patient}/record", "/desk/{patient}/results/{id}"].includes(p.route.path));
  for (const size of [desktop, phone])
    for (const { path, who } of walked)
      await test(`${path} by keyboard at ${size.width} px`, async () => {
        const w = await openWindow(browser, origin, { baseURL: origin, viewport: size, session: sessions.get(who.login) });
        await w.page.goto(path);
        await settle(w.page);
        await walk(w.page);
        await w.close();
      });
  await test("Menus open by key and close by Escape, and the focus stays", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(house.patient.login) });
    await w.page.goto("/");
    await w.page.focus(".who > summary");
    await w.page.keyboard.press("Enter");
    expect(await w.page.isVisible(".pop"), "the menu does not open");
    await accessible(w.page);
    await w.page.keyboard.press("Escape");
    expect(!(await w.page.isVisible(".pop")), "the menu does not close");
    expect(await w.page.evaluate(() => document.activeElement.matches(".who > summary")), "the focus is lost");
    await w.page.setViewportSize(phone);
    await w.page.click(".dock summary");
    await settle(w.page);
    await accessible(w.page);
    await fits(w.page);
    await w.close();
  });
}

// paper: what is printed is light, opened and says whose it is.
export async function paper(house) {
  const { browser, origin, sessions, patient } = house;
  const one = house.pages.find((p) => p.route.path === "/results/{id}");
  await test("A printed result is light, whole and says whose it is", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, colorScheme: "dark", session: sessions.get(patient.login) });
    await w.page.goto(one.path);
    await w.page.emulateMedia({ media: "print", colorScheme: "dark" });
    const seen = await w.page.evaluate(() => ({
      background: getComputedStyle(document.body).backgroundColor,
      chrome: [...document.querySelectorAll(".top, .side, .dock, form button")].filter((e) => e.checkVisibility()).length,
      text: document.body.innerText,
    }));
    expect(/255, 255, 255|rgba\(0, 0, 0, 0\)/.test(seen.background), `background ${seen.background}`);
    expect(seen.chrome === 0, "buttons and menus on paper");
    expect(seen.text.includes(patient.name), "the paper does not say whose it is");
    await w.close();
  });
  await test("High contrast colours keep every word", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, forcedColors: "active", session: sessions.get(patient.login) });
    await w.page.goto(one.path);
    await accessible(w.page);
    await w.close();
  });
}

// taken is the record as the patient carries it home: it must be readable without us, everywhere.
export async function taken({ browser, pages }) {
  const copy = pages.find((p) => p.route.path === "/take/record.html" && p.answer.status === 200);
  await test("The record that is taken home is a page of its own, and accessible", async () => {
    expect(copy, "it was not handed over");
    const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
    const asked = [];
    context.on("request", (r) => asked.push(r.url()));
    const page = await context.newPage();
    await page.setContent(copy.answer.body.toString());
    none(asked.filter((u) => !u.startsWith("data:")), "it asks for something");
    await fits(page);
    // A whole life has thousands of rows alike; a few of each kind say as much.
    await page.evaluate(() => document.querySelectorAll("tbody > tr:nth-child(n+4)").forEach((r) => r.remove()));
    await accessible(page);
    await context.close();
  });
}
