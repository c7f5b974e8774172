// Double entry of one paper form: typed twice, blind, by two people; compared; checked; saved as the text of a return.
//
// The page never signs. A key belongs into the program that does nothing else with it; a browser has extensions and a
// hundred other pages. What is saved is a text that `scrutineer results sign` reads again before it signs.
//
// Nothing is loaded and nothing is sent: the policy in the page's head allows neither. All nodes are made by `make`,
// from texts; no text ever becomes markup.

const $ = (id) => document.getElementById(id);
const FACTS = JSON.parse($('facts').textContent);

// In the order of paper, 2 before 10. A return states them by their bytes, as `FACTS` has them.
const inOrder = (named) => [...named].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
const LISTS = inOrder(FACTS.lists);
const UNITS = inOrder(FACTS.units);

// ---- words

const language = WORDS.language;
// `{0}` is the first thing that is passed after the key.
const say = (key, ...args) => WORDS[key].replace(/\{(\d)\}/g, (_, place) => args[place]);

// A name inside a sentence: its direction of writing stays its own.
const isolated = (name) => `\u2068${name}\u2069`;
const figure = (number) => new Intl.NumberFormat(language).format(number);

// ---- the work done

// Where work is kept. Two elections, contests or centres on one computer do not meet.
const PLACE = `scrutineer-entry ${FACTS.definition} ${FACTS.contest.id} ${FACTS.centre.id}`;

// Nothing where this browser keeps nothing for files; the page says so.
const store = (() => {
  try {
    localStorage.setItem(PLACE, '');
    return localStorage;
  } catch { return null; }
})();

const kept = (name) => {
  try { return JSON.parse(store.getItem(`${PLACE} ${name}`)); } catch { return null; }
};
const keep = (name, value) => {
  try { store.setItem(`${PLACE} ${name}`, JSON.stringify(value)); } catch { /* The page says so, below. */ }
};

const fresh = () => ({
  stage: 'station', unit: null, people: ['', ''], first: {}, second: {}, open: [], seen: {},
  revision: '2', supersedes: '', reason: 'typing-error', status: 'provisional', correction: false,
  time: null, saved: false,
});

let work = Object.assign(fresh(), kept('work'));
// What forms of this election have; which returns were saved here.
let form = kept('form');
let done = kept('done') ?? [];
let isElsewhere = false;

function remember(change = {}) {
  Object.assign(work, change);
  if (!isElsewhere) keep('work', work);
}

// Another window writes the same work: two that overwrite each other would mix two forms.
window.addEventListener('storage', (event) => {
  if (event.key !== `${PLACE} work` || isElsewhere) return;
  isElsewhere = true;
  render();
});

window.addEventListener('beforeunload', (event) => {
  const began = Object.keys(work.first).length > 0;
  if (began && !work.saved && !isElsewhere) event.preventDefault();
});

// ---- what is on the form

// In the order in which a return states them. Letters are those of the Dutch forms.
const COUNTS = [
  ['eligible', ''],
  ['polling-cards', 'A', 'folded'],
  ['proxies', 'B', 'folded'],
  ['voter-cards', 'C', 'folded'],
  ['admitted', 'D'],
  ['valid', 'E'],
  ['blank', 'F'],
  ['invalid', 'G'],
  ['cast', 'H'],
  // Forms leave these empty where D is H.
  ['excess', 'I', 'folded', 'may be empty'],
  ['shortfall', 'J', 'folded', 'may be empty'],
].map(([name, letter, folded, mayBeEmpty]) => ({ name, letter, folded, mayBeEmpty }));
const HAS_CANDIDATES = FACTS.lists.some((list) => list.candidates.length > 0);

if (form === null) {
  form = { totals: true, candidates: HAS_CANDIDATES, only: false };
  for (const count of COUNTS) form[count.name] = !count.folded;
  form.isNew = true;
}

// The form's fields, in the order of the paper.
function fields() {
  const found = [];
  for (const count of COUNTS) {
    if (form[count.name]) found.push({ ...count, key: `count ${count.name}`, kind: 'count' });
  }
  for (const list of LISTS) {
    const candidates = form.candidates ? list.candidates : [];
    for (const [number, name] of candidates) {
      found.push({ key: `candidate ${list.id} ${number}`, kind: 'candidate', list, number, name, letter: number });
    }
    if (form.only) found.push({ key: `only ${list.id}`, kind: 'only', list, letter: '' });
    if (form.totals || candidates.length === 0) {
      const isSum = candidates.length > 0;
      const letter = isSum || list.id.length > 4 ? '' : list.id;
      found.push({ key: `list ${list.id}`, kind: 'list', list, letter, isSum });
    }
  }
  return found;
}

function label(field) {
  if (field.kind === 'count') return say(`count ${field.name}`);
  if (field.kind === 'candidate') return field.name;
  if (field.kind === 'only') return say('list only');
  return field.isSum ? say('list total') : field.list.name;
}

const countLabel = ({ name, letter }) => (letter ? `${letter}: ` : '') + say(`count ${name}`);

// The label where the field stands alone, away from its list.
function fullLabel(field) {
  const list = field.list && say('list', isolated(field.list.id), isolated(field.list.name));
  if (field.kind === 'count') return countLabel(field);
  if (field.kind === 'candidate') return `${list}: ${field.number} ${isolated(field.name)}`;
  if (field.kind === 'only') return `${list}: ${label(field)}`;
  return list;
}

// The largest number that one line of a return may state: the largest of 32 bits.
const MOST = 4294967295;
const plain = (typed) => typed.replace(/^0+(?=\d)/, '');
const isNumber = (typed) => /^\d{1,10}$/.test(typed) && Number(typed) <= MOST;

// What both entries agree on.
function tally() {
  const read = (key) => (key in work.first && work.first[key] !== '' ? Number(work.first[key]) : null);
  const counts = {};
  for (const count of COUNTS) {
    const number = form[count.name] ? read(`count ${count.name}`) : null;
    if (number !== null) counts[count.name] = number;
  }
  const lists = FACTS.lists.map((list) => ({
    id: list.id,
    total: read(`list ${list.id}`),
    only: form.only ? read(`only ${list.id}`) : null,
    candidates: (form.candidates ? list.candidates : [])
      .map(([number]) => [number, read(`candidate ${list.id} ${number}`)]),
  }));
  return { counts, lists };
}

const unitOf = (id) => FACTS.units.find((unit) => unit.id === id);

// ---- arithmetic rules

const sum = (numbers) => numbers.reduce((all, number) => all + (number ?? 0), 0);
const votes = (list) => list.total ?? sum([...list.candidates.map(([, number]) => number), list.only]);

// The Dutch rules by their codes, and two bounds; the same that `results` checks again when it reads the return.
// `W.203` is "or", as the programs of the Dutch committee have it. A finding never says which number is wrong.
function findings({ counts, lists }) {
  const { eligible, admitted: d, valid: e, blank: f, invalid: g, cast: h, excess: i, shortfall: j } = counts;
  const { 'polling-cards': a, proxies: b, 'voter-cards': c } = counts;
  const unit = unitOf(work.unit);
  const isTotal = ['nation', 'district', 'municipality'].includes(unit.kind);
  const isStated = (...numbers) => numbers.every((number) => number !== undefined);
  const found = [];
  const raise = (code, keys, ...numbers) => {
    found.push({ code, keys, numbers, id: `${code} ${keys.join(' ')} ${numbers}` });
  };
  const count = (...names) => names.map((name) => `count ${name}`);
  const allLists = lists.map((list) => `list ${list.id}`);

  if (isStated(a, b, d) && a + b + (c ?? 0) !== d) {
    const keys = count('polling-cards', 'proxies', 'voter-cards', 'admitted');
    raise('F.201', keys, a, b, c ?? 0, a + b + (c ?? 0), d);
  }
  const all = sum(lists.map(votes));
  const isOneVote = FACTS.contest.votesPerBallot === 1 && lists.length > 0;
  const isEmpty = isOneVote && isStated(e) && all > 0 && e === 0;
  if (isEmpty) raise('F.204', [...count('valid'), ...allLists], all);
  else if (isOneVote && isStated(e) && all !== e) raise('F.202', [...count('valid'), ...allLists], all, e);
  if (!isEmpty && isStated(e, g, h) && e + (f ?? 0) + g !== h) {
    raise('F.203', count('valid', 'blank', 'invalid', 'cast'), e, f ?? 0, g, e + (f ?? 0) + g, h);
  }
  const most = (e ?? h) * FACTS.contest.votesPerBallot;
  if (isStated(e ?? h) && !(isOneVote && isStated(e)) && all > most) {
    raise('votes-bound', [...count('valid', 'cast'), ...allLists], all, e ?? h, FACTS.contest.votesPerBallot, most);
  }
  if (isTotal) totals(counts, raise, count);
  else difference({ d, h, i, j }, raise, count);
  for (const list of lists) {
    if (list.total === null || list.candidates.length === 0) continue;
    const candidates = sum([...list.candidates.map(([, number]) => number), list.only]);
    const keys = fields().filter((field) => field.list?.id === list.id).map((field) => field.key);
    if (list.total === 0 && candidates > 0) raise('F.401', keys, isolated(list.id), candidates);
    else if (list.total !== candidates) raise('F.402', keys, isolated(list.id), candidates, list.total);
  }
  const bound = eligible ?? unit.eligible;
  const isBound = isTotal || unit.kind === 'polling-station';
  if (isBound && bound !== null && h > bound) raise('turnout-bound', count('eligible', 'cast'), h, bound);
  if (!isTotal) unusual({ d, f, g, h }, raise, count);
  if (h === 0) raise('W.204', count('cast'));
  return found;
}

// How ballots (H) and voters (D) differ, and what the form says about that (I, J). A form that has I and J and leaves
// them empty says 0.
function difference({ d, h, i, j }, raise, count) {
  if (d === undefined || h === undefined) return;
  if (form.excess) i ??= 0;
  if (form.shortfall) j ??= 0;
  const keys = count('admitted', 'cast', 'excess', 'shortfall');
  if (d === h) {
    if (i > 0) raise('F.305', keys, d, h, 'I', i);
    if (j > 0) raise('F.305', keys, d, h, 'J', j);
  } else if (h > d) {
    if (i !== undefined && i !== h - d) raise('F.306', keys, d, h, h - d, i);
    if (j > 0) raise('F.307', keys, d, h, h - d, j);
  } else {
    if (j !== undefined && j !== d - h) raise('F.308', keys, d, h, d - h, j);
    if (i > 0) raise('F.309', keys, d, h, d - h, i);
  }
}

// On a form of totals both I and J may be filled in.
function totals({ eligible, 'polling-cards': a, admitted: d, cast: h, excess: i, shortfall: j }, raise, count) {
  if ([d, h, i, j].every((number) => number !== undefined) && d !== h - i + j) {
    raise('F.312', count('admitted', 'cast', 'excess', 'shortfall'), h, i, j, h - i + j, d);
  }
  if (eligible === 0) raise('W.205', count('eligible'));
  if (eligible < a) raise('W.206', count('eligible', 'polling-cards'), eligible, a);
}

function unusual({ d, f, g, h }, raise, count) {
  if (h === undefined) return;
  if (f > 0 && f * 100 >= h * 3) raise('W.201', count('blank', 'cast'), f, h);
  if (g > 0 && g * 100 >= h * 3) raise('W.202', count('invalid', 'cast'), g, h);
  const apart = Math.abs(d - h);
  if (apart >= 15 || (apart > 0 && apart * 100 >= h * 2)) raise('W.203', count('admitted', 'cast'), d, h, apart);
}

const isWarning = (finding) => finding.code.startsWith('W.');
const sentence = ({ code, numbers }) =>
  say(code, ...numbers.map((number) => (typeof number === 'number' ? figure(number) : number)));

// ---- the return as text

// UTC, whole seconds: the one spelling that a return knows.
const spelled = (time) => `${new Date(time).toISOString().slice(0, 19)}Z`;

const revision = () => (work.correction ? Number(work.revision) : 1);

function returnText() {
  const { counts, lists } = tally();
  const flags = [...new Set(findings({ counts, lists }).map((finding) => finding.code))].sort();
  const lines = [
    'scrutineer-return v1',
    `election ${FACTS.election}`,
    `definition ${FACTS.definition}`,
    `contest ${FACTS.contest.id}`,
    `unit ${work.unit}`,
    `revision ${revision()}`,
    `supersedes ${work.correction ? work.supersedes : 'none'}`,
    `reason ${work.correction ? work.reason : 'first'}`,
    `status ${work.status}`,
    `time ${spelled(work.time)}`,
    'source none',
    ...flags.map((flag) => `flag ${flag}`),
  ];
  for (const { name } of COUNTS) if (name in counts) lines.push(`count ${name}=${counts[name]}`);
  for (const list of lists) {
    lines.push(list.total === null ? `list ${list.id}` : `list ${list.id}=${list.total}`);
    if (list.only !== null) lines.push(`list-only ${list.only}`);
    for (const [number, n] of list.candidates) lines.push(`candidate ${number}=${n}`);
  }
  return `${lines.join('\n')}\n`;
}

const fileName = () => `${work.unit.replace(/[^A-Za-z0-9._+-]/g, '-')}-r${revision()}.return.txt`;

// SHA-256 (FIPS 180-4) of less than 512 MiB. Not every browser gives a page from a file its own.
function sha256(bytes) {
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, bytes.length * 8);
  const w = new Uint32Array(64);
  for (let start = 0; start < padded.length; start += 64) {
    const block = new DataView(padded.buffer, start, 64);
    for (let t = 0; t < 64; t += 1) {
      if (t < 16) { w[t] = block.getUint32(t * 4); continue; }
      const [x, y] = [w[t - 15], w[t - 2]];
      w[t] = w[t - 16] + w[t - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + w[t]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((x, place) => { state[place] = (state[place] + x) | 0; });
  }
  return state.map((x) => (x >>> 0).toString(16).padStart(8, '0')).join('');
}

// The first 32 bits behind the point of the cube roots of the first 64 primes, by cube roots of prime · 2^96.
const ROUND = (() => {
  const bits = [];
  for (let prime = 2; bits.length < 64; prime += 1) {
    if (Array.from({ length: prime - 2 }, (_, less) => less + 2).some((factor) => prime % factor === 0)) continue;
    let root = 0n;
    for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) {
      if ((root | bit) ** 3n <= BigInt(prime) << 96n) root |= bit;
    }
    bits.push(Number(root & 0xffffffffn));
  }
  return bits;
})();

// ---- the page

// Makes a node. What begins with `on` is a listener; `true` sets an attribute; `false`, `null` and nothing leave an
// attribute or a child out.
function make(tag, attributes, ...children) {
  const is = (thing) => thing !== false && thing !== null && thing !== undefined;
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'value' || key === 'checked') node[key] = value;
    else if (is(value)) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat(2).filter(is));
  return node;
}

const span = (...children) => make('span', {}, children);
const p = (kind, ...children) => make('p', { class: kind }, children);
const name = (text) => make('bdi', {}, text);
const head = (words, lead) => [make('h1', {}, words), p('lead', lead)];
const h2 = (...children) => make('h2', {}, children);
const button = (words, onclick, kind = '', more = {}) =>
  make('button', { type: 'button', class: `btn ${kind}`, onclick, ...more }, words);
const end = (words, onclick) => button(words, onclick, '', { id: 'end' });
const acts = (...children) => make('div', { class: 'acts noprint' }, children);
const main = $('main');

// For those who do not see the page change.
function tell(words) {
  $('live').textContent = words;
}

const STEPS = { station: 0, about: 0, first: 1, handover: 2, second: 2, compare: 3, rules: 3, save: 4 };

function render() {
  document.documentElement.lang = language;
  $('whose').replaceChildren(name(FACTS.title), ' · ', name(FACTS.contest.title), ' · ', name(FACTS.centre.name));
  $('kept').textContent = say(store === null ? 'not kept' : 'kept');
  // A stage with nothing to show passes on to the next one, so it is made before the steps are.
  const nodes = isElsewhere ? elsewhere() : STAGES[work.stage]();
  const steps = ['station', 'first', 'second', 'compare', 'save'].map((step, place) =>
    make('li', { 'aria-current': place === STEPS[work.stage] && 'step' }, say(`step ${step}`)));
  main.replaceChildren(make('ol', { class: 'steps', 'aria-label': say('steps') }, steps), ...nodes.filter(Boolean));
  const heading = main.querySelector('h1');
  document.title = `${heading.textContent} – Scrutineer`;
  heading.tabIndex = -1;
  (main.querySelector('[data-focus]') ?? heading).focus({ preventScroll: true });
  window.scrollTo(0, 0);
  tell(heading.textContent);
}

function go(stage) {
  remember({ stage });
  render();
}

function begin() {
  work = fresh();
  go('station');
}

// A field for a text that is part of the work.
const textInput = (of, key, attributes) => make('input', {
  type: 'text', autocomplete: 'off', spellcheck: 'false', value: of[key], ...attributes,
  oninput: (event) => { of[key] = event.target.value; remember(); },
});
const initials = (place) => textInput(work.people, place, { class: 'short', maxlength: 8, 'data-focus': true });

// A labelled field, with a place below for what is wrong with it.
function labelled(id, words, input, hint = null) {
  input.id = id;
  input.setAttribute('aria-describedby', `${hint ? `${id}-hint ` : ''}${id}-wrong`);
  return make('div', { class: 'field' },
    make('label', { for: id }, words),
    input,
    hint && make('p', { class: 'soft', id: `${id}-hint` }, hint),
    make('p', { class: 'note bad', id: `${id}-wrong`, hidden: true }));
}

// Marks fields as wrong, by id, or as right where there are no words. Goes to the first wrong one; true where none is.
function areRight(judgements) {
  const wrong = Object.keys(judgements).filter((id) => judgements[id]);
  for (const [id, words] of Object.entries(judgements)) {
    $(id).setAttribute('aria-invalid', String(Boolean(words)));
    $(`${id}-wrong`).hidden = !words;
    $(`${id}-wrong`).textContent = words ?? '';
  }
  if (wrong.length > 0) {
    $(wrong[0]).focus();
    tell(judgements[wrong[0]]);
  }
  return wrong.length === 0;
}

function choice(type, attributes, words) {
  const id = `choice-${attributes.name}-${attributes.value}`;
  const input = make('input', { type, id, ...attributes });
  return make('div', { class: 'choice' }, input, make('label', { for: id }, words));
}

// A button for what cannot be undone: it asks before it does it.
function askFirst(words, question, yes, mustAsk = () => true) {
  const asked = button(words, () => {
    if (!mustAsk()) { begin(); return; }
    const first = button(yes, begin, 'quiet');
    asked.replaceWith(span(question), first, button(say('keep'), render, 'quiet'));
    first.focus();
  }, 'quiet');
  return asked;
}
const startOver = () => askFirst(say('start over'), say('start over sure'), say('start over'));

const elsewhere = () => head(say('elsewhere'), say('elsewhere lead'));

// ---- stage: which station

const SHOWN = 30;
const folded = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

// Whether what was read off a paper is a station's id, the id's last part, or its name.
function answersTo(unit, typed) {
  const bare = (text) => folded(text).replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  const wanted = bare(typed);
  return wanted !== '' && (wanted === bare(unit.name) || ` ${bare(unit.id)}`.endsWith(` ${wanted}`));
}

function station() {
  const found = make('ul', { class: 'stations' });
  const more = p('soft');
  // A station that is called exactly so comes first: `007` is 3007/007 before it is every station of 3007.
  const matching = () => {
    const wanted = folded(search.value.trim()).split(/\s+/);
    const units = UNITS.filter((unit) => wanted.every((word) => folded(`${unit.id} ${unit.name}`).includes(word)));
    const exact = units.filter((unit) => answersTo(unit, search.value));
    const all = new Set([...exact, ...units]);
    return { units: [...all], isOne: exact.length === 1 || units.length === 1 };
  };
  const show = () => {
    const { units } = matching();
    found.replaceChildren(...units.slice(0, SHOWN).map(stationRow));
    more.textContent = units.length === 0 ? say('no station')
      : units.length > SHOWN ? say('more stations', figure(SHOWN), figure(units.length)) : '';
  };
  const take = (event) => {
    if (event.key !== 'Enter') return;
    const { units, isOne } = matching();
    if (isOne) choose(units[0]);
    else tell(units.length === 0 ? say('no station') : say('several stations', figure(units.length)));
  };
  const search = make('input', {
    type: 'search', autocomplete: 'off', spellcheck: 'false', 'data-focus': true, oninput: show, onkeydown: take,
  });
  show();
  return [
    ...head(say('station head'), say('station lead', figure(UNITS.length), isolated(FACTS.centre.name))),
    labelled('search', say('station search'), search),
    found,
    more,
  ];
}

const clock = (time) => new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(time);
const lastSaved = (unit) => done.findLast((each) => each.unit === unit.id);

function stationRow(unit) {
  const saved = lastSaved(unit);
  const kind = make('span', { class: 'soft' }, `, ${say(`kind ${unit.kind}`)}`);
  const tag = saved && make('span', { class: 'tag ok' }, say('saved already', saved.revision, clock(saved.time)));
  return make('li', {}, make('button', { type: 'button', onclick: () => choose(unit) },
    make('b', {}, name(unit.id)),
    span(name(unit.name), unit.kind !== 'polling-station' && kind),
    span(tag)));
}

function choose(unit) {
  const saved = lastSaved(unit);
  work = fresh();
  work.unit = unit.id;
  if (saved) remember({ correction: true, revision: String(saved.revision + 1) });
  go('about');
}

const where = () => `${isolated(work.unit)}, ${isolated(unitOf(work.unit).name)}`;

// ---- stage: about this form and return

function about() {
  const { kind, eligible } = unitOf(work.unit);
  const known = eligible === null ? say('eligible unknown') : say('eligible known', figure(eligible));
  const correction = make('div', { hidden: !work.correction }, correctionFields());
  const radio = (key, value, words, onchange = () => {}) => choice('radio', {
    name: key, value: String(value), checked: work[key] === value,
    onchange: () => { remember({ [key]: value }); onchange(); },
  }, words);
  const show = () => { correction.hidden = !work.correction; };
  return [
    ...head(say('about head', where()), say('about lead', say(`kind ${kind}`), known)),
    labelled('person', say('person first'), initials(0), say('person hint')),
    make('fieldset', {}, make('legend', {}, say('which return')),
      radio('correction', false, say('is first'), show), radio('correction', true, say('is correction'), show),
      correction),
    make('fieldset', {}, make('legend', {}, say('how final')),
      radio('status', 'provisional', say('status provisional')), radio('status', 'final', say('status final'))),
    formChoices(),
    acts(button(say('begin first'), beginFirst), button(say('other station'), begin, 'quiet')),
  ];
}

function correctionFields() {
  const option = (reason) =>
    make('option', { value: reason, selected: reason === work.reason }, say(`reason ${reason}`));
  const reasons = ['completion', 'typing-error', 'mix-up', 'recount', 'decision', 'reaffirmation'].map(option);
  const number = textInput(work, 'revision', { inputmode: 'numeric', class: 'short', maxlength: 10 });
  return [
    labelled('revision', say('revision'), number, say('revision hint')),
    labelled('reason', say('reason'),
      make('select', { onchange: (event) => remember({ reason: event.target.value }) }, reasons)),
    labelled('supersedes', say('supersedes'), textInput(work, 'supersedes', { class: 'long' }), say('supersedes hint')),
  ];
}

function formChoices() {
  const chosen = span();
  const sayChosen = () => {
    const ticked = COUNTS.filter((each) => form[each.name]);
    chosen.textContent = ` ${ticked.map((each) => each.letter || say(`count ${each.name}`)).join(', ')}`;
  };
  const tick = (key, words) => choice('checkbox', {
    name: 'form', value: key, checked: form[key],
    onchange: (event) => { form[key] = event.target.checked; sayChosen(); },
  }, words);
  const counts = (isFolded) => make('div', { class: 'choices' },
    COUNTS.filter((each) => Boolean(each.folded) === isFolded).map((each) => tick(each.name, countLabel(each))));
  sayChosen();
  return make('details', { open: form.isNew },
    make('summary', {}, say('form has'), chosen),
    p('soft', say('form hint')),
    counts(false),
    make('details', { open: COUNTS.some((each) => each.folded && form[each.name]) },
      make('summary', {}, say('form more')), counts(true)),
    HAS_CANDIDATES && make('div', { class: 'choices' },
      tick('candidates', say('form candidates')), tick('totals', say('form totals')), tick('only', say('form only'))));
}

const isPerson = (text) => /^[\p{L}\p{M}.' -]{1,8}$/u.test(text.trim()) && /\p{L}/u.test(text);

function beginFirst() {
  work.supersedes = work.supersedes.replace(/\s+/g, '').toLowerCase();
  const isHash = /^[0-9a-f]{64}$/.test(work.supersedes);
  const isRight = areRight({
    person: isPerson(work.people[0]) ? null : say('person wrong'),
    revision: !work.correction || (isNumber(work.revision) && revision() > 1) ? null : say('revision wrong'),
    supersedes: !work.correction || isHash ? null : say('supersedes wrong', figure(work.supersedes.length)),
  });
  if (!isRight) return;
  form.isNew = false;
  keep('form', form);
  go('first');
}

// ---- stages: the two entries

const first = () => entry('first', 0);
const second = () => entry('second', 1);

// The empty form. No sum is shown while numbers are typed: whoever sees that a sum is off by one looks for a number
// that makes it fit, not for the number on the paper.
function entry(which, person) {
  const typed = work[which];
  const all = fields();
  const filled = span();
  const sayFilled = () => {
    filled.textContent = say('filled', figure(all.filter(({ key }) => typed[key]).length), figure(all.length));
  };
  const rows = all.map((field, place) => entryRow(field, place, typed, sayFilled));
  const group = (heading, isIn) => {
    const members = rows.filter((_, place) => isIn(all[place]));
    return members.length > 0 ? [h2(heading), make('div', { class: 'rows' }, members)] : [];
  };
  const isAlone = (field) => field.kind === 'list' && !field.isSum && !form.only;
  const problems = make('div', { class: 'note bad', tabindex: -1, hidden: true });
  sayFilled();
  return [
    ...head(say(`${which} head`), say('entry lead')),
    make('div', { class: 'bar' },
      span(make('b', {}, name(work.unit)), ' ', name(unitOf(work.unit).name)),
      span(work.people[person].trim(), ' · ', filled)),
    ...group(say('counts'), (field) => field.kind === 'count'),
    ...group(say('lists'), isAlone),
    ...LISTS.flatMap((list) =>
      group([name(list.id), ' ', name(list.name)], (field) => field.list === list && !isAlone(field))),
    problems,
    acts(end(say(`${which} end`), () => endEntry(which, all, problems)), startOver()),
  ];
}

function entryRow(field, place, typed, onchange) {
  const id = `field-${place}`;
  const input = numberInput(id, typed[field.key] ?? '', (value) => {
    typed[field.key] = value;
    remember();
    onchange();
  });
  if (place === 0) input.setAttribute('data-focus', '');
  if (field.mayBeEmpty) input.setAttribute('aria-describedby', `${id}-say`);
  return make('div', { class: field.isSum ? 'row sum' : 'row' },
    make('span', { class: 'letter', 'aria-hidden': 'true' }, field.letter),
    make('label', { for: id },
      field.letter !== '' && make('span', { class: 'unseen' }, `${field.letter} `), name(label(field))),
    input,
    field.mayBeEmpty && make('p', { class: 'say soft', id: `${id}-say` }, say('may be empty')));
}

// A field for one number. Enter and the arrows go through the fields; only digits get in, and nothing is pasted: a
// number that is copied was not read from the paper.
function numberInput(id, value, oninput) {
  const refuse = (event, words) => { event.preventDefault(); tell(words); };
  return make('input', {
    id, value, class: 'figure', type: 'text', inputmode: 'numeric', autocomplete: 'off', maxlength: 10,
    onbeforeinput: (event) => {
      if (/\D/.test(event.data ?? '')) refuse(event, say('only digits'));
    },
    onpaste: (event) => refuse(event, say('no paste')),
    ondrop: (event) => refuse(event, say('no paste')),
    oninput: ({ target }) => {
      // Keyboards of phones may not ask first.
      if (/\D/.test(target.value)) target.value = target.value.replace(/\D/g, '');
      target.removeAttribute('aria-invalid');
      oninput(target.value);
    },
    onkeydown: (event) => {
      const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const stops = [...main.querySelectorAll('input.figure, #end')];
      const next = stops[stops.indexOf(event.target) + step];
      next?.focus();
      next?.select?.();
    },
  });
}

// At the end, and not before, the page says what is missing.
function endEntry(which, all, problems) {
  const typed = work[which];
  for (const { key } of all) typed[key] = plain(typed[key] ?? '');
  remember();
  const isEmpty = ({ key, mayBeEmpty }) => typed[key] === '' && !mayBeEmpty;
  const isLarge = ({ key }) => typed[key] !== '' && !isNumber(typed[key]);
  const input = (field) => $(`field-${all.indexOf(field)}`);
  const empty = all.filter(isEmpty);
  const wrong = [...empty, ...all.filter(isLarge)];
  for (const field of all) input(field).setAttribute('aria-invalid', String(wrong.includes(field)));
  if (wrong.length === 0) { go(which === 'first' ? 'handover' : 'compare'); return; }
  const fillWithZero = () => {
    for (const field of empty) {
      typed[field.key] = '0';
      input(field).value = '0';
    }
    endEntry(which, all, problems);
  };
  const link = (field) => make('li', {}, make('a', {
    href: '#', onclick: (event) => { event.preventDefault(); input(field).focus(); },
  }, fullLabel(field)));
  const few = 5;
  problems.hidden = false;
  problems.replaceChildren(
    p('', empty.length > 0 ? say('empty fields', figure(empty.length)) : say('large fields', figure(MOST))),
    make('ul', {}, wrong.slice(0, few).map(link),
      wrong.length > few && make('li', {}, say('and more', figure(wrong.length - few)))),
    empty.length > 0 ? button(say('empty are zero'), fillWithZero, 'quiet') : '');
  problems.focus();
  tell(problems.firstChild.textContent);
}

// ---- stage: to the second person

function handover() {
  const isSame = () => folded(work.people[1].trim()) === folded(work.people[0].trim());
  const beginSecond = () => {
    const isRight = areRight({
      person: !isPerson(work.people[1]) ? say('person wrong') : isSame() ? say('person same') : null,
      number: answersTo(unitOf(work.unit), number.value) ? null : say('number wrong'),
    });
    if (isRight) go('second');
  };
  const onEnter = (act) => (event) => { if (event.key === 'Enter') act(); };
  const number = make('input', { type: 'text', autocomplete: 'off', onkeydown: onEnter(beginSecond) });
  const person = initials(1);
  person.addEventListener('keydown', onEnter(() => number.focus()));
  return [
    ...head(say('handover head'), say('handover lead')),
    labelled('person', say('person second'), person),
    labelled('number', say('number'), number, say('number hint')),
    acts(button(say('begin second'), beginSecond), startOver()),
  ];
}

// ---- stage: the comparison

// Fields that must be typed again: where the entries differ, and those that somebody asked to see again. Which entry
// was right is never shown, and neither number is: whoever sees a number reads it on the paper too.
function compare() {
  const all = fields();
  const differing = all.filter(({ key }) => (work.first[key] ?? '') !== (work.second[key] ?? ''));
  const open = all.filter((field) => work.open.includes(field.key) || differing.includes(field));
  remember({ open: open.map(({ key }) => key) });
  if (open.length === 0) { remember({ stage: 'rules' }); return rules(); }
  const areSwapped = (one, other) =>
    work.first[one.key] === work.second[other.key] && work.second[one.key] === work.first[other.key];
  const swapped = differing.flatMap((one, place) =>
    differing.slice(place + 1).filter((other) => areSwapped(one, other)).map((other) => [one, other]));
  const isMuch = differing.length > 3 && differing.length * 3 > all.length;
  return [
    ...head(say(open.length === 1 ? 'compare head one' : 'compare head', figure(open.length)), say('compare lead')),
    isMuch && p('note warn', say('compare much', where())),
    ...swapped.slice(0, 3).map((two) => p('note warn', say('compare swapped', ...two.map(fullLabel)))),
    make('div', { class: 'rows' }, open.map(openRow)),
    acts(end(say('go on'), endCompare), startOver()),
  ];
}

function openRow(field, place) {
  const { key } = field;
  const id = `open-${place}`;
  const told = make('p', { class: 'say soft', id: `${id}-say` }, say('compare again'));
  const input = numberInput(id, '', () => {});
  input.setAttribute('aria-describedby', told.id);
  if (place === 0) input.setAttribute('data-focus', '');
  const agree = (value) => {
    work.first[key] = value;
    work.second[key] = value;
    remember({ open: work.open.filter((each) => each !== key), time: null, saved: false });
    input.readOnly = true;
    input.value = value;
    none?.remove?.();
    told.replaceChildren(make('span', { class: 'tag ok' }, say('compare agreed')));
    tell(`${fullLabel(field)}: ${say('compare agreed')}`);
  };
  const settle = () => {
    if (input.readOnly || input.value === '') return;
    const value = plain(input.value);
    input.value = '';
    if (value === work.first[key] || value === work.second[key]) { agree(value); return; }
    // A third number: it counts when it is typed once more.
    told.textContent = isNumber(value) ? say('compare third') : say('large fields', figure(MOST));
    tell(`${fullLabel(field)}: ${told.textContent}`);
    if (!isNumber(value)) return;
    work.first[key] = value;
    work.second[key] = '';
    remember();
  };
  const none = field.mayBeEmpty && button(say('compare nothing'), () => { agree(''); input.focus(); }, 'quiet small');
  input.addEventListener('blur', settle);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || input.value === '') return;
    settle();
    // Enter stays where the number is due once more.
    if (!input.readOnly) event.stopImmediatePropagation();
  }, { capture: true });
  return make('div', { class: 'row alone' }, make('label', { for: id }, fullLabel(field)), input, told, none);
}

function endCompare() {
  if (work.open.length === 0) { go('rules'); return; }
  [...main.querySelectorAll('input.figure')].find((input) => !input.readOnly).focus();
  tell(say('compare due'));
}

// ---- stage: what is strange

const unseen = (found) => found.filter((finding) => !work.seen[finding.id]).length;

function rules() {
  const found = findings(tally());
  if (found.length === 0) { remember({ stage: 'save' }); return save(); }
  const due = make('p', { class: 'note bad', tabindex: -1, hidden: true });
  const endRules = () => {
    if (unseen(found) === 0) { go('save'); return; }
    due.hidden = false;
    due.textContent = say('rules due', figure(unseen(found)));
    due.focus();
  };
  return [
    ...head(say(found.every(isWarning) ? 'rules head mild' : 'rules head'), say('rules lead')),
    ...found.map(findingCard),
    due,
    acts(button(say('go on'), endRules), startOver()),
  ];
}

function findingCard(finding, place) {
  const shown = fields().filter((field) => finding.keys.includes(field.key));
  const table = numberTable(shown, fullLabel);
  const many = 8;
  const [kind, words] = isWarning(finding) ? ['tag warn', 'unusual'] : ['tag bad', 'does not fit'];
  return make('section', { class: 'finding', 'aria-labelledby': `finding-${place}` },
    make('span', { class: kind }, say(words, finding.code)),
    make('h2', { id: `finding-${place}` }, sentence(finding)),
    shown.length > many
      ? make('details', {}, make('summary', {}, say('the numbers', figure(shown.length))), table) : table,
    choice('checkbox', {
      name: 'seen', value: String(place), checked: Boolean(work.seen[finding.id]),
      onchange: (event) => { work.seen[finding.id] = event.target.checked; remember(); },
    }, say('paper says so')));
}

// Numbers that both entries agree on, each with a way to read it again.
function numberTable(shown, words) {
  const row = (field) => {
    const number = work.first[field.key];
    const again = () => {
      work.first[field.key] = '';
      work.second[field.key] = '';
      work.open.push(field.key);
      go('compare');
    };
    return make('tr', { class: field.isSum && 'strong' },
      make('th', { scope: 'row' }, words(field)),
      make('td', { class: 'n' }, number === '' ? '–' : figure(number)),
      make('td', { class: 'do noprint' },
        button(say('type again'), again, 'link', { 'aria-label': `${say('type again')}: ${fullLabel(field)}` })));
  };
  return make('table', {}, make('tbody', {}, shown.map(row)));
}

// ---- stage: the result

function save() {
  const read = tally();
  const found = findings(read);
  if (unseen(found) > 0) { remember({ stage: 'rules' }); return rules(); }
  remember({ time: work.time ?? Date.now() });
  const text = returnText();
  const bytes = new TextEncoder().encode(text);
  const hash = sha256(bytes);
  const file = URL.createObjectURL(new Blob([bytes], { type: 'text/plain' }));
  const after = make('p', { class: 'note ok noprint', hidden: !work.saved }, say('saved', fileName()));
  const onclick = () => {
    const it = { unit: work.unit, revision: revision(), hash, time: work.time };
    done = [...done.filter((each) => each.unit !== it.unit || each.revision !== it.revision), it];
    keep('done', done);
    remember({ saved: true });
    after.hidden = false;
    tell(after.textContent);
  };
  const { cast, valid, blank, invalid } = read.counts;
  const ballots = cast ?? (sum([valid, blank, invalid]) || sum(read.lists.map(votes)));
  return [
    ...head(say(found.length === 0 ? 'save head' : 'save head flags', where()), say('save lead')),
    ballots > 0 && ballots < FACTS.leastCast && p('note warn', say('too small', figure(FACTS.leastCast))),
    ...found.map((finding) =>
      p('note warn', make('b', {}, finding.code), ' ', sentence(finding), ' ', say('paper says so'))),
    h2(say('hash head')),
    p('soft noprint', say('hash lead')),
    make('div', { class: 'hash', id: 'hash' }, hash.match(/.{4}/g).map((four) => span(four))),
    acts(
      make('a', { class: 'btn', href: file, download: fileName(), onclick }, say('save file')),
      button(say('print'), () => window.print(), 'quiet'),
      askFirst(say('next'), say('next unsaved'), say('next anyway'), () => !work.saved)),
    after,
    sheetFacts(),
    ...sheetNumbers(),
    make('div', { class: 'signs' }, work.people.map((person, place) => p('', say(`sign ${place}`, person.trim())))),
    make('details', {}, make('summary', {}, say('text head')), make('pre', {}, text)),
  ];
}

function sheetFacts() {
  const at = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'medium' }).format(work.time);
  const again = () => { remember({ time: Date.now(), saved: false }); render(); };
  const rows = {
    'fact centre': name(FACTS.centre.name),
    'fact revision': work.correction ? `${revision()}, ${say(`reason ${work.reason}`)}` : say('is first'),
    'fact status': say(`status ${work.status}`),
    'fact people': work.people.map((person) => person.trim()).join(', '),
    'fact time': span(`${at} (${spelled(work.time)}) `, button(say('time again'), again, 'link noprint')),
    'fact file': fileName(),
  };
  return make('dl', { class: 'facts' },
    Object.entries(rows).map(([words, value]) => [make('dt', {}, say(words)), make('dd', {}, value)]));
}

function sheetNumbers() {
  const all = fields();
  const ofLists = all.filter((field) => field.list);
  const inList = (field) => (field.kind === 'candidate' ? [`${field.number} `, name(field.name)] : label(field));
  const isLong = ofLists.length > LISTS.length;
  const lists = isLong
    ? LISTS.map((list) => [
      make('h3', {}, name(list.id), ' ', name(list.name)),
      numberTable(ofLists.filter((field) => field.list === list), inList),
    ])
    : numberTable(ofLists, ({ list }) => [name(list.id), ' ', name(list.name)]);
  return [
    h2(say('counts')), numberTable(all.filter((field) => field.kind === 'count'), fullLabel),
    h2(say('lists')), make('div', { class: isLong ? 'columns' : '' }, lists),
  ];
}

const STAGES = { station, about, first, handover, second, compare, rules, save };
render();
