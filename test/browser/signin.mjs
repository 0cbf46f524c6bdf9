// Getting in and getting out, as people do it.
import { desktop, launch, openWindow, phone, settle } from "./lib/browser.mjs";
import { accessible, alive, fits, quiet } from "./lib/checks.mjs";
import { freshCode, signIn } from "./lib/people.mjs";
import { expect, test } from "./lib/runner.mjs";

const path = (page) => new URL(page.url()).pathname;

// getIn signs everybody in once, each by another way, and returns their sessions by login.
export async function getIn({ browser, origin, people }) {
  const sessions = new Map();
  const ways = [
    ["with JavaScript on a desktop", { viewport: desktop, reducedMotion: "no-preference" }],
    ["without JavaScript on a phone", { viewport: phone, javaScriptEnabled: false }],
    ["in Arabic on a phone", { viewport: phone, lang: "ar" }],
  ];
  for (const [i, person] of people.entries()) {
    const [way, options] = ways[i % ways.length];
    await test(`${person.name} signs in by password and code, ${way}`, async () => {
      const w = await openWindow(browser, origin, { baseURL: origin, ...options });
      await signIn(w.page, person);
      expect(path(w.page) === (person.staff ? "/desk" : "/"), `arrived at ${w.page.url()}`);
      await w.page.waitForSelector("h1");
      quiet(w);
      const state = await w.context.storageState();
      state.cookies = state.cookies.filter((c) => !["lang", "theme", "font"].includes(c.name));
      const session = state.cookies.filter((c) => c.httpOnly);
      expect(session.length === state.cookies.length, "a cookie that script can read");
      expect(state.origins.length === 0, "something is kept in the browser's storage");
      sessions.set(person.login, state);
      await w.close();
    });
  }
  return sessions;
}

export async function refusals({ browser, origin, people }) {
  const person = people[0];
  for (const js of [true, false]) {
    await test(`A wrong password says so, keeps the login and tells the focus, ${js ? "with" : "without"} JavaScript`, async () => {
      const w = await openWindow(browser, origin, { baseURL: origin, javaScriptEnabled: js });
      const { page } = w;
      await page.goto("/signin");
      if (!js) await alive(page);
      await page.fill("[name=login]", "nobody@example.com");
      await page.fill("[name=password]", "not the password");
      const [answer] = await Promise.all([page.waitForResponse((r) => r.url().endsWith("/signin/password")), page.click("form[action='/signin/password'] button[type=submit]")]);
      expect(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
      await page.waitForSelector("#errors");
      expect((await page.title()).startsWith("Error:"), `title ${await page.title()}`);
      expect((await page.inputValue("[name=login]")) === "nobody@example.com", "the login is gone");
      expect((await page.inputValue("[name=password]")) === "", "the password came back");
      if (js) expect((await page.evaluate(() => document.activeElement.id)) === "errors", "the focus is elsewhere");
      if (js) await accessible(page);
      w.wrongs.splice(0, w.wrongs.length, ...w.wrongs.filter((x) => !x.includes("status of 4")));
      quiet(w);
      await w.close();
    });
  }

  await test("The code page, and a wrong code", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, viewport: phone });
    const { page } = w;
    await page.goto("/signin");
    await page.fill("[name=login]", person.login);
    await page.fill("[name=password]", person.password);
    await page.click("form[action='/signin/password'] button[type=submit]");
    await page.waitForURL("**/signin/code**");
    await settle(page);
    await accessible(page);
    await page.fill("[name=code]", "12345");
    await page.click("form[action='/signin/code'] button[type=submit]");
    await page.waitForSelector("#errors");
    await accessible(page);
    await w.close();
  });

  await test("A stranger is sent to sign in, and comes to no page of a record", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin });
    for (const p of ["/", "/results", "/looked", "/desk", "/security"]) {
      await w.page.goto(p);
      expect(path(w.page) === "/signin", `${p} led to ${w.page.url()}`);
      expect((await w.page.locator(".who, .dock, .side").count()) === 0, "the account's chrome is shown to a stranger");
    }
    await w.close();
  });
}

// passkeys registers one on /security and signs in with it, by a virtual authenticator that checks its user.
export async function passkeys({ browser, origin, sessions, people }) {
  const elsewhere = (r) => !r.url().startsWith(origin);
  const person = people.find((p) => !p.staff && p.login.startsWith("miguel"));
  const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(person.login) });
  const { page } = w;
  const cdp = await w.context.newCDPSession(page);
  await cdp.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true, defaultBackupEligibility: true, defaultBackupState: true,
    },
  });
  // The virtual authenticator would answer by itself what the browser offers in the login field; here the button is meant.
  await page.addInitScript(() => (PublicKeyCredential.isConditionalMediationAvailable = async () => false));

  await test("A passkey is registered on the security page", async () => {
    await page.goto("/security");
    await page.click("[data-pk-add]");
    await page.waitForSelector("[role=status] .note, #passkeys a, [aria-labelledby=h-passkeys] li");
    const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
    expect(credentials.length === 1 && credentials[0].isResidentCredential && credentials[0].rpId === "localhost", "no passkey that finds its own account");
    quiet(w);
  });
  await test("A passkey has its page", async () => {
    await page.goto("/security");
    const href = await page.locator("a[href^='/security/passkeys/']").first().getAttribute("href");
    await page.goto(href);
    await accessible(page);
    await page.setViewportSize(phone);
    await accessible(page);
    await page.setViewportSize(desktop);
  });
  await test("Recovery codes are made, and shown once", async () => {
    await page.goto("/security/recovery");
    await page.click("form[action='/security/recovery'] button[type=submit]");
    await page.waitForSelector("ol li");
    const codes = (await page.locator("ol li").allTextContents()).map((c) => c.trim());
    expect(codes.length === 8 && new Set(codes).size === 8, `codes: ${codes.length}`);
    for (const size of [phone, desktop]) {
      await page.setViewportSize(size);
      await accessible(page);
      await fits(page);
    }
    await page.goto("/security/recovery");
    expect(!(await page.content()).includes(codes[0]), "a code is shown again");
    recovery.set(person.login, codes);
  });
  await test("Sign out, then Back shows the sign-in page and not the record", () => backAfterSignout(origin, sessions.get(person.login)));
  await test("The passkey signs in without a password", async () => {
    await page.goto("/signin");
    await page.click("[data-pk-use]");
    await page.waitForURL((u) => u.pathname !== "/signin");
    expect(path(page) === "/", `arrived at ${page.url()}`);
    quiet(w);
  });
  await test("A passkey whose user is not verified is refused", async () => {
    await page.locator(".who > summary").click();
    await page.locator(".pop__out button").click();
    await page.waitForURL("**/signout");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.goto("/signin");
    await page.click("[data-pk-use]");
    await page.waitForFunction(() => document.querySelector("[data-pk-use]").ariaDisabled === null && document.getElementById("pk-status").textContent);
    expect(path(page) === "/signin", "signed in all the same");
    await page.goto("/results");
    expect(path(page) === "/signin", "a session without verification");
    w.wrongs.length = 0; // the refusal's status is in the console
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  });
  await test("On a shared computer the session is short and leaves with the window", async () => {
    await w.context.clearCookies();
    await page.goto("/signin");
    await page.check("[name=shared]");
    await page.click("[data-pk-use]");
    await page.waitForURL((u) => u.pathname !== "/signin");
    const life = Number(await page.getAttribute("body", "data-expires"));
    expect(life > 0 && life <= 300, `the session lives ${life} s without activity`);
    const kept = (await w.context.cookies()).filter((c) => c.expires > 0 && !["lang", "theme", "font"].includes(c.name));
    expect(kept.length === 0, `cookies outlive the window: ${kept.map((c) => c.name)}`);
  });
  await test("Quick exit ends the session and leaves no way back", async () => {
    await page.goto("/results");
    await Promise.all([page.waitForRequest(elsewhere), page.click("[data-exit]")]);
    await page.waitForTimeout(500);
    w.wrongs.length = 0; // leaving the origin is what was asked for
    await page.goBack();
    await page.waitForURL("**/signin**");
    expect(!(await page.content()).includes(person.name), "the person's name is still shown");
  });
  await w.close();
}

// backAfterSignout uses a browser that keeps pages in memory for Back, and first makes sure that it does.
async function backAfterSignout(origin, session) {
  const browser = await launch({ keepPages: true });
  try {
    const { page } = await openWindow(browser, origin, { baseURL: origin, session });
    const kept = [];
    page.on("console", (m) => m.text().startsWith("kept ") && kept.push(m.text()));
    await page.goto("/results");
    await page.evaluate(() => addEventListener("pageshow", (e) => console.log(`kept ${e.persisted}`)));
    const back = () => page.evaluate(() => history.back()).catch(() => {});
    await page.goto("/medicines");
    await back();
    await page.waitForURL("**/results");
    await page.waitForFunction(() => !document.documentElement.hidden && performance.getEntriesByType("navigation")[0].type === "reload");
    expect(kept.includes("kept true"), "this browser keeps no pages, so the test shows nothing");

    await page.locator(".who > summary").click();
    await page.locator(".pop__out button").click();
    await page.waitForURL("**/signout");
    await accessible(page);
    await back();
    await page.waitForURL("**/signin**");
    await page.waitForSelector("form[action='/signin/password']");
    await back();
    await page.waitForURL("**/signin**");
  } finally {
    await browser.close();
  }
}

const recovery = new Map();

// recovered signs in with a recovery code and without JavaScript, and leaves by the quick exit, which is a plain link too.
export async function recovered({ browser, origin, people }) {
  const elsewhere = (r) => !r.url().startsWith(origin);
  const person = people.find((p) => p.login.startsWith("miguel"));
  const w = await openWindow(browser, origin, { baseURL: origin, javaScriptEnabled: false, viewport: phone });
  const { page } = w;
  await test("A recovery code stands in for the lost phone, without JavaScript", async () => {
    await page.goto("/signin");
    await page.fill("[name=login]", person.login);
    await page.fill("[name=password]", person.password);
    await page.click("form[action='/signin/password'] button[type=submit]");
    await page.click("a[href^='/signin/recovery']");
    await alive(page);
    await page.fill("[name=code]", recovery.get(person.login)[0]);
    await page.click("form[action='/signin/recovery'] button[type=submit]");
    await page.waitForURL("**/security**");
    quiet(w);
  });
  await test("Quick exit ends the session without JavaScript", async () => {
    await page.goto("/results");
    expect(path(page) === "/results", "not signed in");
    await Promise.all([page.waitForRequest(elsewhere), page.click("[data-exit]")]);
    await page.goto("/results");
    expect(path(page) === "/signin", "the session goes on");
  });
  await w.close();
}

// provedAgain is asked before a record is taken along; it is also the page that asks.
export async function provedAgain({ browser, origin, sessions, people }) {
  const person = people.find((p) => p.login.startsWith("amina"));
  await test("Taking the record asks for a fresh code, and then hands it over", async () => {
    const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(person.login), viewport: phone });
    await w.page.goto("/signin/again?next=/take");
    await accessible(w.page);
    await w.page.fill("[name=code]", await freshCode(person));
    await w.page.click("form[action='/signin/again'] button[type=submit]");
    await w.page.waitForURL("**/take");
    const [download] = await Promise.all([w.page.waitForEvent("download"), w.page.click("a[href='/take/record.html']")]);
    expect(/\.html$/.test(download.suggestedFilename()), download.suggestedFilename());
    const state = await w.context.storageState();
    state.cookies = state.cookies.filter((c) => !["lang", "theme", "font"].includes(c.name));
    sessions.set(person.login, state);
    await w.close();
  });
}

// checkup is the security page as somebody meets it who worries: what to do first, and where every sign-in stands.
export async function checkup({ browser, origin, sessions, people }) {
  const person = people.find((p) => p.login.startsWith("amina"));
  for (const [way, options] of [["on a desktop", { viewport: desktop }], ["without JavaScript on a phone, in Arabic", { viewport: phone, javaScriptEnabled: false, lang: "ar" }]])
    await test(`The security check-up leads to what it asks for, ${way}`, async () => {
      const w = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(person.login), ...options });
      const { page } = w;
      await page.goto("/security");
      await fits(page);
      if (options.javaScriptEnabled !== false) await accessible(page);
      const first = page.locator("section[aria-labelledby], .card").filter({ has: page.locator("#h-check") }).first();
      const fixes = await first.locator("li").count();
      expect(fixes >= 1 && fixes <= 3, `${fixes} things to do`);
      for (const href of await first.locator("a").evaluateAll((l) => l.map((a) => a.getAttribute("href")))) {
        if (href.startsWith("#")) expect((await page.locator(`${href}, #h-${href.slice(1)}`).count()) > 0, `${href} leads nowhere`);
        else expect((await page.request.get(href)).status() < 400, `${href} leads nowhere`);
      }
      await page.click("a[href='/looked?show=account']");
      await page.waitForURL("**/looked?show=account");
      expect((await page.locator("main li").count()) > 0, "no sign-in is listed");
      if (options.javaScriptEnabled !== false) await accessible(page);
      await fits(page);
      quiet(w);
      await w.close();
    });
}
