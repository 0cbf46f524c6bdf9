// A test is a sentence and a function. Failures are told in full; what passed is counted (all of it with VERBOSE=1).
const wide = process.env.VERBOSE === "1";
let passed = 0;
const failed = [];

export async function test(sentence, run) {
  const start = Date.now();
  try {
    await within(90_000, run());
    passed++;
    if (wide) console.log(`  ok      ${sentence} (${Date.now() - start} ms)`);
  } catch (e) {
    failed.push(sentence);
    console.log(`  FAILED  ${sentence}\n          ${told(e).replaceAll("\n", "\n          ")}`);
  }
}

const within = (ms, work) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`no answer after ${ms / 1000} s`)), ms)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

export async function chapter(title, run) {
  const start = Date.now();
  const before = passed + failed.length;
  console.log(`\n${title}`);
  // A chapter that breaks off is a failure too, never a shorter run.
  try {
    await run();
  } catch (e) {
    failed.push(title);
    console.log(`  FAILED  ${title}: broke off\n          ${told(e)}`);
  }
  console.log(`  ${passed + failed.length - before} checks, ${Math.round((Date.now() - start) / 1000)} s`);
}

// inLanes does a list of jobs on so many lanes at once; each lane has a helper of its own, made by open().
export async function inLanes(count, jobs, open, run) {
  const queue = [...jobs];
  await Promise.all(
    Array.from({ length: count }, async () => {
      const lane = await open();
      for (let job = queue.shift(); job; job = queue.shift()) await run(lane, job);
      await lane.close();
    }),
  );
}

export function tally() {
  if (failed.length) console.log(`\nFailed:\n  ${failed.join("\n  ")}`);
  console.log(`\n${passed} passed, ${failed.length} failed`);
  return failed.length === 0 && passed > 0;
}

export function expect(ok, sentence) {
  if (!ok) throw new Error(sentence);
}

// none fails with the first few of what should not be there.
export function none(list, sentence) {
  if (list.length) throw new Error([`${sentence}: ${list.length}`, ...list.slice(0, 6)].join("\n"));
}

const told = (e) => (e.message ?? String(e)).split("\n").slice(0, 14).join("\n").slice(0, 1800);
