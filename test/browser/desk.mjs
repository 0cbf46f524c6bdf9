// The journey that joins both sides: staff look, and the patient knows.
import { ask } from "./lib/practice.mjs";
import { cookiesOf } from "./lib/people.mjs";
import { openWindow, phone } from "./lib/browser.mjs";
import { accessible, fits, quiet } from "./lib/checks.mjs";
import { expect, test } from "./lib/runner.mjs";

const amina = { name: "Amina Rahman", family: "Rahman", given: "Amina" };

// birthday is read from her own record, as she would tell it on the phone.
async function birthday(origin, session) {
  const { body } = await ask(origin, "/take/record.json", cookiesOf(session));
  return JSON.parse(body).entry.map((e) => e.resource).find((r) => r.resourceType === "Patient").birthDate.split("-");
}

async function find(page, [year, month, day]) {
  await page.goto("/desk/find");
  await page.fill("[name=family]", amina.family);
  await page.fill("[name=born-day]", day);
  await page.fill("[name=born-month]", month);
  await page.fill("[name=born-year]", year);
  await page.click("form[action='/desk/find'] button[type=submit]");
  await page.waitForSelector("form[action='/desk/open']");
}

export async function deskMeetsPatient(house) {
  const { browser, origin, sessions, people } = house;
  const clinician = people.find((p) => p.role === "clinician");
  const patient = people.find((p) => p.name === amina.name);
  const desk = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(clinician.login) });
  const theirs = await openWindow(browser, origin, { baseURL: origin, session: sessions.get(patient.login), viewport: phone });
  const { page } = desk;
  const born = await birthday(origin, sessions.get(patient.login));

  await test("One identifier is not enough to find anybody; nothing typed is lost", async () => {
    await page.goto("/desk/find");
    await page.fill("[name=family]", amina.family);
    await page.fill("[name=given]", amina.given); // a whole name is still one
    await page.click("form[action='/desk/find'] button[type=submit]");
    await page.waitForSelector("#errors");
    expect((await page.title()).startsWith("Error:"), await page.title());
    expect((await page.inputValue("[name=family]")) === amina.family, "the name is gone");
    expect(new URL(page.url()).search === "", "what was typed stands in the address");
    await accessible(page);
  });
  await test("Two identifiers find one patient; opening takes a reason", async () => {
    await find(page, born);
    expect((await page.locator("form[action='/desk/open']").count()) === 1, "more than one match");
    await accessible(page);
    await page.setViewportSize({ width: 320, height: 700 });
    await fits(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.fill("[name=other]", "Calling about the new results");
    await page.click("form[action='/desk/open'] button[type=submit]");
    await page.waitForURL("**/desk/*/record");
    expect((await page.textContent(".band--desk")).includes("Calling about the new results"), "the reason is not on the page");
    house.record = new URL(page.url()).pathname.replace(/\/record$/, "");
    desk.wrongs.splice(0, desk.wrongs.length, ...desk.wrongs.filter((x) => !x.includes("status of 422")));
    quiet(desk);
  });
  await test("The patient's next look shows who looked and why", async () => {
    await ask(origin, `${house.record}/medicines`, cookiesOf(sessions.get(clinician.login)));
    const { body } = await ask(origin, "/looked", cookiesOf(sessions.get(patient.login))); // at once, no waiting
    expect(body.includes("Nair") && body.includes("Calling about the new results"), "the visit is not listed");
    await theirs.page.goto("/looked");
    expect((await theirs.page.textContent("main")).includes("Calling about the new results"), "the visit is not shown");
  });
  await test("A comment on a result reaches the patient at once", async () => {
    const one = await page.locator(`main a[href^='${house.record}/results/']:not([href*='/report/'])`).first().getAttribute("href");
    await page.goto(one);
    await page.fill("[name=text]", "This is better than last time. Keep going as you are.");
    await page.click("form[action$='/comments'] button[value=check]");
    await page.waitForSelector("[name=text]");
    expect((await page.inputValue("[name=text]")).startsWith("This is better"), "checking lost the text");
    await page.click("form[action$='/comments'] button[value=show]");
    await page.waitForSelector("[role=status]");
    await accessible(page);
    quiet(desk);
    await theirs.page.goto(one.slice(house.record.length));
    expect((await theirs.page.textContent("main")).includes("Keep going as you are."), "the patient does not see it");
    quiet(theirs);
  });
  await test("A record that was closed takes a reason again", async () => {
    await page.goto(`${house.record}/record`);
    await page.click(".band--desk form button");
    await page.waitForURL("**/desk");
    const answer = await page.goto(`${house.record}/record`);
    expect(answer.status() >= 400 || new URL(page.url()).pathname !== `${house.record}/record`, "the record is still open");
    desk.wrongs.length = 0;
    await find(page, born);
    await page.fill("[name=other]", "Planned visit");
    await page.click("form[action='/desk/open'] button[type=submit]");
    await page.waitForURL("**/desk/*/record");
  });
  await desk.close();
  await theirs.close();
}
