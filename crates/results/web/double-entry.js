// Double entry of one paper form: typed twice, blind, by two people; compared; checked; saved as the text of a return.
//
// The page never signs. A signing key belongs into the program that does nothing else with it; a browser has extensions,
// a cache, a history and a hundred other pages. What is saved here is a text that anybody can read, and that
// `scrutineer results sign` reads again, line by line, before it signs.
//
// Nothing is loaded and nothing is sent: the policy in the page's head allows neither. All nodes are made by `make`, from
// texts; no text ever becomes markup.
const FACTS = JSON.parse(document.getElementById('facts').textContent);

/// In the order of paper, 2 before 10. A return states them by their bytes, as `FACTS` has them.
const inOrder = (named) => [...named].sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
const LISTS = inOrder(FACTS.lists);
const UNITS = inOrder(FACTS.units);

// ---- words

const language = WORDS.language;
/// `{0}` is the first thing that is passed after the key.
const say = (key, ...args) => WORDS[key].replace(/\{(\d)\}/g, (_, place) => args[place]);

/// A name inside a sentence: its direction of writing stays its own.
const isolated = (name) => `\u2068${name}\u2069`;
const figure = (number) => new Intl.NumberFormat(language).format(number);

// ---- the work done

/// Where a piece of work is kept. Two elections, contests or centres on one computer do not meet.
const PLACE = `scrutineer-entry ${FACTS.definition} ${FACTS.contest.id} ${FACTS.centre.id}`;

const store = (() => {
  for (const name of ['localStorage', 'sessionStorage']) {
    try {
      const found = window[name];
      found.setItem(`${PLACE} probe`, '1');
      found.removeItem(`${PLACE} probe`);
      return found;
    } catch { /* This browser keeps nothing for files; the page says so. */ }
  }
  return null;
})();

const kept = (name) => {
  try { return JSON.parse(store.getItem(`${PLACE} ${name}`)); } catch { return null; }
};
const keep = (name, value) => {
  try { store.setItem(`${PLACE} ${name}`, JSON.stringify(value)); return true; } catch { return false; }
};

const fresh = () => ({
  stage: 'station', unit: null, people: ['', ''], first: {}, second: {}, open: [], seen: {},
  revision: '2', supersedes: '', reason: 'typing-error', status: 'provisional', correction: false,
  time: null, saved: false,
});

let work = Object.assign(fresh(), kept('work'));
/// What forms of this election have; which returns were saved here.
let form = kept('form');
let done = kept('done') ?? [];
let isElsewhere = false;

function remember() {
  if (!isElsewhere) keep('work', work);
}

/// Another window has begun to write the same work: two that overwrite each other would mix two forms.
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

/// In the order in which a return states them. Letters are those of the Dutch forms.
const COUNTS = [
  { name: 'eligible', letter: '' },
  { name: 'polling-cards', letter: 'A', folded: true },
  { name: 'proxies', letter: 'B', folded: true },
  { name: 'voter-cards', letter: 'C', folded: true },
  { name: 'admitted', letter: 'D' },
  { name: 'valid', letter: 'E' },
  { name: 'blank', letter: 'F' },
  { name: 'invalid', letter: 'G' },
  { name: 'cast', letter: 'H' },
  // Forms leave these empty where D is H.
  { name: 'excess', letter: 'I', folded: true, mayBeEmpty: true },
  { name: 'shortfall', letter: 'J', folded: true, mayBeEmpty: true },
];
const HAS_CANDIDATES = FACTS.lists.some((list) => list.candidates.length > 0);

if (form === null) {
  form = { totals: true, candidates: HAS_CANDIDATES, only: false };
  for (const count of COUNTS) form[count.name] = !count.folded;
  form.isNew = true;
}

/// The form's fields, in the order of the paper.
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
      found.push({ key: `list ${list.id}`, kind: 'list', list, letter: isSum || list.id.length > 4 ? '' : list.id, isSum });
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

/// The label where the field stands alone, away from its list.
function fullLabel(field) {
  const list = field.list && say('list', isolated(field.list.id), isolated(field.list.name));
  if (field.kind === 'count') return field.letter ? `${field.letter}: ${label(field)}` : label(field);
  if (field.kind === 'candidate') return `${list}: ${field.number} ${isolated(field.name)}`;
  if (field.kind === 'only') return `${list}: ${label(field)}`;
  return list;
}

/// The largest number that one line of a return may state: the largest of 32 bits.
const MOST = 4294967295;
const plain = (typed) => typed.replace(/^0+(?=\d)/, '');
const isNumber = (typed) => /^\d{1,10}$/.test(typed) && Number(typed) <= MOST;

/// What both entries agree on.
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
    candidates: (form.candidates ? list.candidates : []).map(([number]) => [number, read(`candidate ${list.id} ${number}`)]),
  }));
  return { counts, lists };
}

const unitOf = (id) => FACTS.units.find((unit) => unit.id === id);

// ---- arithmetic rules

const sum = (numbers) => numbers.reduce((all, number) => all + (number ?? 0), 0);
const votes = (list) => list.total ?? sum([...list.candidates.map(([, number]) => number), list.only]);

/// The Dutch rules by their codes, and two bounds; the same that `results` checks again when it reads the return. `W.203`
/// is "or", as the programs of the Dutch committee have it. A finding never says which number is wrong.
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
  if (isBound && isStated(h) && bound !== null && h > bound) raise('turnout-bound', count('eligible', 'cast'), h, bound);
  if (!isTotal) unusual({ d, f, g, h }, raise, count);
  if (h === 0) raise('W.204', count('cast'));
  return found;
}

/// How ballots (H) and voters (D) differ, and what the form says about that (I, J). A form that has I and J and leaves
/// them empty says 0.
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

/// On a form of totals both I and J may be filled in.
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

/// UTC, whole seconds: the one spelling that a return knows.
const spelled = (time) => `${new Date(time).toISOString().slice(0, 19)}Z`;

function returnText() {
  const { counts, lists } = tally();
  const flags = [...new Set(findings({ counts, lists }).map((finding) => finding.code))].sort();
  const lines = [
    'scrutineer-return v1',
    `election ${FACTS.election}`,
    `definition ${FACTS.definition}`,
    `contest ${FACTS.contest.id}`,
    `unit ${work.unit}`,
    `revision ${work.correction ? plain(work.revision) : 1}`,
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

function fileName() {
  const revision = work.correction ? plain(work.revision) : 1;
  return `${work.unit.replace(/[^A-Za-z0-9._+-]/g, '-')}-r${revision}.return.txt`;
}

/// SHA-256 (FIPS 180-4). Written out, because not every browser gives a page from a file its own.
function sha256(bytes) {
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
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

/// The first 32 bits behind the point of the cube roots of the first 64 primes: cube roots of prime · 2^96, in integers.
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

/// Makes a node. What begins with `on` is a listener; `true` sets an attribute, `false` and `null` leave it out. So do
/// children that are nothing.
function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'value') node.value = value;
    else if (key === 'checked') node.checked = value;
    else if (value !== false && value !== null) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const name = (text) => make('bdi', {}, text);
const button = (words, onclick, kind = '') => make('button', { type: 'button', class: `btn ${kind}`, onclick }, words);
const head = (words, lead) => [make('h1', {}, words), make('p', { class: 'lead' }, lead)];
const acts = (...children) => make('div', { class: 'acts noprint' }, children);
const warning = (...children) => make('p', { class: 'note warn' }, children);
const main = document.getElementById('main');

/// Says something to those who do not see the page change.
function tell(words) {
  document.getElementById('live').textContent = words;
}

const STEPS = { station: 0, about: 0, first: 1, handover: 2, second: 2, compare: 3, rules: 3, save: 4 };

function render() {
  document.documentElement.lang = language;
  const { contest, centre } = FACTS;
  document.getElementById('whose').replaceChildren(name(FACTS.title), ' · ', name(contest.title), ' · ', name(centre.name));
  document.getElementById('kept').textContent = store === null ? say('not kept') : say('kept');
  const stage = isElsewhere ? elsewhere : STAGES[work.stage] ?? STAGES.station;
  const names = ['step station', 'step first', 'step second', 'step compare', 'step save'];
  // A stage with nothing to show passes on to the next one, so it is made before the steps are.
  const nodes = stage();
  const steps = names.map((step, place) => make('li', { 'aria-current': place === STEPS[work.stage] && 'step' }, say(step)));
  main.replaceChildren(make('ol', { class: 'steps', 'aria-label': say('steps') }, steps), ...nodes.filter(Boolean));
  const heading = main.querySelector('h1');
  document.title = `${heading.textContent} – Scrutineer`;
  heading.tabIndex = -1;
  (main.querySelector('[data-focus]') ?? heading).focus({ preventScroll: true });
  window.scrollTo(0, 0);
  tell(heading.textContent);
}

function go(stage) {
  work.stage = stage;
  remember();
  render();
}

/// A field for a text that is part of the work.
const textInput = (of, key, attributes) => make('input', {
  type: 'text', autocomplete: 'off', spellcheck: 'false', value: of[key], ...attributes,
  oninput: (event) => { of[key] = event.target.value; remember(); },
});
const initials = (place) => textInput(work.people, place, { class: 'short', maxlength: 8, 'data-focus': true });

/// A labelled field with what is wrong with it below.
function labelled(id, words, input, hint = null) {
  input.id = id;
  const told = [];
  if (hint) { told.push(`${id}-hint`); }
  told.push(`${id}-wrong`);
  input.setAttribute('aria-describedby', told.join(' '));
  return make('div', { class: 'field' },
    make('label', { for: id }, words),
    input,
    hint && make('p', { class: 'soft', id: `${id}-hint` }, hint),
    make('p', { class: 'note bad', id: `${id}-wrong`, hidden: true }));
}

/// Marks a field as wrong, or as right where there are no words. True where it is right.
function judge(id, words) {
  const told = document.getElementById(`${id}-wrong`);
  told.hidden = !words;
  told.textContent = words ?? '';
  document.getElementById(id).setAttribute('aria-invalid', String(Boolean(words)));
  return !words;
}

/// Goes to the first field that is wrong.
function goToWrong() {
  const wrong = main.querySelector('[aria-invalid=true]');
  wrong.focus();
  tell(document.getElementById(`${wrong.id}-wrong`)?.textContent ?? '');
}

function choice(type, attributes, words) {
  const id = `choice-${attributes.name}-${attributes.value ?? ''}`;
  return make('div', { class: 'choice' }, make('input', { type, id, ...attributes }), make('label', { for: id }, words));
}

/// Throws away what was typed, after a second press.
function startOver() {
  const first = button(say('start over'), () => first.replaceWith(
    make('span', {}, say('start over sure')),
    button(say('start over yes'), () => { work = fresh(); go('station'); }, 'quiet'),
    button(say('start over no'), render, 'quiet')), 'quiet');
  return first;
}

function elsewhere() {
  return [
    ...head(say('elsewhere'), say('elsewhere lead')),
    acts(button(say('elsewhere here'), () => { isElsewhere = false; work = Object.assign(fresh(), kept('work')); render(); })),
  ];
}

// ---- stage: which station

const SHOWN = 30;
const folded = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function station() {
  const found = make('ul', { class: 'stations' });
  const more = make('p', { class: 'soft' });
  const search = make('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', 'data-focus': true });
  const matching = () => {
    const wanted = folded(search.value.trim()).split(/\s+/);
    return UNITS.filter((unit) => wanted.every((word) => folded(`${unit.id} ${unit.name}`).includes(word)));
  };
  const show = () => {
    const units = matching();
    found.replaceChildren(...units.slice(0, SHOWN).map(stationRow));
    more.textContent = units.length === 0 ? say('no station')
      : units.length > SHOWN ? say('more stations', figure(SHOWN), figure(units.length)) : '';
  };
  search.addEventListener('input', show);
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    const units = matching();
    if (units.length === 1) choose(units[0]);
    else tell(units.length === 0 ? say('no station') : say('several stations', figure(units.length)));
  });
  show();
  return [
    ...head(say('station head'), say('station lead', figure(FACTS.units.length), isolated(FACTS.centre.name))),
    labelled('search', say('station search'), search),
    found,
    more,
  ];
}

function stationRow(unit) {
  const saved = done.findLast((each) => each.unit === unit.id);
  return make('li', {}, make('button', { type: 'button', onclick: () => choose(unit) },
    make('b', {}, name(unit.id)),
    make('span', {}, name(unit.name), unit.kind !== 'polling-station' && make('span', { class: 'soft' }, `, ${say(`kind ${unit.kind}`)}`)),
    make('span', {}, saved ? make('span', { class: 'tag ok' }, say('saved already', saved.revision, clock(saved.time))) : '')));
}

function choose(unit) {
  const saved = done.findLast((each) => each.unit === unit.id);
  work = fresh();
  work.unit = unit.id;
  if (saved) Object.assign(work, { correction: true, revision: String(saved.revision + 1) });
  go('about');
}

const clock = (time) => new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(time);
const where = () => `${isolated(work.unit)}, ${isolated(unitOf(work.unit).name)}`;

// ---- stage: about this form and return

function about() {
  const unit = unitOf(work.unit);
  const correction = make('div', { hidden: !work.correction }, correctionFields());
  const kind = (isCorrection) => choice('radio',
    { name: 'kind', value: isCorrection ? 'correction' : 'first', checked: work.correction === isCorrection,
      onchange: () => { work.correction = isCorrection; correction.hidden = !isCorrection; remember(); } },
    say(isCorrection ? 'is correction' : 'is first'));
  const status = (value) => choice('radio',
    { name: 'status', value, checked: work.status === value, onchange: () => { work.status = value; remember(); } },
    say(`status ${value}`));
  return [
    ...head(say('about head', where()), say('about lead', say(`kind ${unit.kind}`), unit.eligible === null ? say('eligible unknown') : say('eligible known', figure(unit.eligible)))),
    labelled('person', say('person first'), initials(0), say('person hint')),
    make('fieldset', {}, make('legend', {}, say('which return')), kind(false), kind(true), correction),
    make('fieldset', {}, make('legend', {}, say('how final')), status('provisional'), status('final')),
    formChoices(),
    acts(button(say('begin first'), beginFirst), button(say('other station'), () => { work = fresh(); go('station'); }, 'quiet')),
  ];
}

function correctionFields() {
  const reasons = ['completion', 'typing-error', 'mix-up', 'recount', 'decision', 'reaffirmation'];
  return [
    labelled('revision', say('revision'), textInput(work, 'revision', { inputmode: 'numeric', class: 'short', maxlength: 10 }),
      say('revision hint')),
    labelled('reason', say('reason'), make('select', { onchange: (event) => { work.reason = event.target.value; remember(); } },
      reasons.map((reason) => make('option', { value: reason, selected: reason === work.reason }, say(`reason ${reason}`))))),
    labelled('supersedes', say('supersedes'), textInput(work, 'supersedes', { class: 'long' }), say('supersedes hint')),
  ];
}

function formChoices() {
  const chosen = make('span', {});
  const tick = (key, words) => choice('checkbox', { name: 'form', value: key, checked: form[key],
    onchange: (event) => { form[key] = event.target.checked; sayChosen(); } }, words);
  const count = ({ name: of, letter }) => tick(of, letter ? `${letter}: ${say(`count ${of}`)}` : say(`count ${of}`));
  const sayChosen = () => {
    const letters = COUNTS.filter((each) => form[each.name]).map((each) => each.letter || say(`short ${each.name}`));
    chosen.textContent = ` ${letters.join(', ')}`;
  };
  const dutch = COUNTS.filter((each) => each.folded);
  sayChosen();
  return make('details', { open: form.isNew === true },
    make('summary', {}, say('form has'), chosen),
    make('p', { class: 'soft' }, say('form hint')),
    make('div', { class: 'choices' }, COUNTS.filter((each) => !each.folded).map(count)),
    make('details', { open: dutch.some((each) => form[each.name]) },
      make('summary', {}, say('form more')), make('div', { class: 'choices' }, dutch.map(count))),
    HAS_CANDIDATES && make('div', { class: 'choices' },
      tick('candidates', say('form candidates')), tick('totals', say('form totals')), tick('only', say('form only'))));
}

const isPerson = (text) => /^[\p{L}\p{M}.' -]{1,8}$/u.test(text.trim()) && /\p{L}/u.test(text);

function beginFirst() {
  const right = [judge('person', isPerson(work.people[0]) ? null : say('person wrong'))];
  if (work.correction) {
    work.supersedes = work.supersedes.replace(/\s+/g, '').toLowerCase();
    const revision = Number(work.revision);
    right.push(judge('revision', isNumber(work.revision) && revision > 1 ? null : say('revision wrong')));
    right.push(judge('supersedes', /^[0-9a-f]{64}$/.test(work.supersedes) ? null : say('supersedes wrong', figure(work.supersedes.length))));
  }
  if (right.includes(false)) { goToWrong(); return; }
  delete form.isNew;
  keep('form', form);
  go('first');
}

// ---- stages: the two entries

const first = () => entry('first', 0);
const second = () => entry('second', 1);

/// The empty form. No sum is shown while numbers are typed: whoever sees that a sum is off by one looks for a number that
/// makes it fit, not for the number on the paper.
function entry(which, person) {
  const typed = work[which];
  const all = fields();
  const filled = make('span', {});
  const sayFilled = () => { filled.textContent = say('filled', figure(all.filter((field) => typed[field.key]).length), figure(all.length)); };
  const row = (field, place) => {
    const input = numberInput(`field-${place}`, typed[field.key] ?? '', (value) => { typed[field.key] = value; remember(); sayFilled(); });
    if (place === 0) input.setAttribute('data-focus', '');
    input.dataset.key = field.key;
    if (field.mayBeEmpty) input.setAttribute('aria-describedby', `field-${place}-say`);
    return make('div', { class: field.isSum ? 'row sum' : 'row' },
      make('span', { class: 'letter', 'aria-hidden': 'true' }, String(field.letter)),
      make('label', { for: input.id }, field.letter !== '' && make('span', { class: 'unseen' }, `${field.letter} `), name(label(field))),
      input,
      field.mayBeEmpty && make('p', { class: 'say soft', id: `field-${place}-say` }, say('may be empty')));
  };
  const rows = all.map(row);
  const groups = [];
  const group = (heading, from) => {
    const members = rows.filter((_, place) => from(all[place]));
    if (members.length > 0) groups.push(heading, make('div', { class: 'rows' }, members));
  };
  group(make('h2', {}, say('counts')), (field) => field.kind === 'count');
  const isPlain = (field) => field.kind === 'list' && !field.isSum;
  group(make('h2', {}, say('lists')), (field) => isPlain(field) && !form.only);
  for (const list of LISTS) {
    const heading = make('h2', {}, name(list.id), ' ', name(list.name));
    group(heading, (field) => field.list === list && !(isPlain(field) && !form.only));
  }
  const problems = make('div', { class: 'note bad', id: 'problems', tabindex: -1, hidden: true });
  sayFilled();
  return [
    ...head(say(`${which} head`), say('entry lead')),
    make('div', { class: 'bar' }, make('span', {}, make('b', {}, name(work.unit)), ' ', name(unitOf(work.unit).name)), make('span', {}, `${work.people[person].trim()} · `, filled)),
    ...groups,
    problems,
    acts(make('button', { type: 'button', class: 'btn', id: 'end', onclick: () => endEntry(which, all, problems) }, say(`${which} end`)), startOver()),
  ];
}

/// A field for one number. Enter and the arrows go through the fields; only digits get in, and nothing is pasted: a number
/// that is copied was not read from the paper.
function numberInput(id, value, oninput) {
  return make('input', {
    id, class: 'figure', type: 'text', inputmode: 'numeric', autocomplete: 'off', spellcheck: 'false', maxlength: 10, value,
    onbeforeinput: (event) => {
      if (event.inputType.startsWith('insert') && /\D/.test(event.data ?? '')) { event.preventDefault(); tell(say('only digits')); }
    },
    onpaste: (event) => { event.preventDefault(); tell(say('no paste')); },
    ondrop: (event) => event.preventDefault(),
    oninput: (event) => {
      const digits = event.target.value.replace(/\D/g, '');
      if (digits !== event.target.value) event.target.value = digits;
      event.target.removeAttribute('aria-invalid');
      oninput(digits);
    },
    onkeydown: (event) => {
      const step = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const stops = [...main.querySelectorAll('input.figure, #end')];
      stops[stops.indexOf(event.target) + step]?.focus();
      event.target.ownerDocument.activeElement.select?.();
    },
  });
}

/// At the end, and not before, the page says what is missing.
function endEntry(which, all, problems) {
  const typed = work[which];
  const inputs = new Map([...main.querySelectorAll('input.figure')].map((input) => [input.dataset.key, input]));
  for (const field of all) typed[field.key] = plain(typed[field.key] ?? '');
  const empty = all.filter((field) => typed[field.key] === '' && !field.mayBeEmpty);
  const large = all.filter((field) => typed[field.key] !== '' && !isNumber(typed[field.key]));
  const wrong = [...empty, ...large];
  remember();
  for (const field of all) inputs.get(field.key).setAttribute('aria-invalid', String(wrong.includes(field)));
  if (wrong.length === 0) { go(which === 'first' ? 'handover' : 'compare'); return; }
  const zero = () => {
    for (const field of empty) { typed[field.key] = '0'; inputs.get(field.key).value = '0'; inputs.get(field.key).removeAttribute('aria-invalid'); }
    remember();
    endEntry(which, all, problems);
  };
  const link = (field) => make('li', {}, make('a', { href: `#${inputs.get(field.key).id}`, onclick: (event) => { event.preventDefault(); inputs.get(field.key).focus(); } }, fullLabel(field)));
  const few = 5;
  problems.hidden = false;
  problems.replaceChildren(...[
    empty.length > 0 && make('p', {}, say('empty fields', figure(empty.length))),
    large.length > 0 && make('p', {}, say('large fields', figure(MOST))),
    make('ul', {}, wrong.slice(0, few).map(link), wrong.length > few ? make('li', {}, say('and more', figure(wrong.length - few))) : null),
    empty.length > 0 && button(say('empty are zero'), zero, 'quiet'),
  ].filter(Boolean));
  problems.focus();
  tell(problems.firstChild.textContent);
}

// ---- stage: to the second person

/// What the second person reads off the paper names the station of the first entry: its id, its last part, or its name.
function isThisStation(typed) {
  const bare = (text) => folded(text).replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  const wanted = bare(typed);
  const { id, name: called } = unitOf(work.unit);
  return wanted !== '' && (wanted === bare(called) || ` ${bare(id)}`.endsWith(` ${wanted}`));
}

function handover() {
  const person = initials(1);
  const number = make('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const begin = () => {
    const same = folded(work.people[1].trim()) === folded(work.people[0].trim());
    const right = [
      judge('person', !isPerson(work.people[1]) ? say('person wrong') : same ? say('person same') : null),
      judge('number', isThisStation(number.value) ? null : say('number wrong')),
    ];
    if (right.includes(false)) goToWrong();
    else go('second');
  };
  for (const input of [person, number]) input.addEventListener('keydown', (event) => { if (event.key === 'Enter') (input === person ? number.focus() : begin()); });
  return [
    ...head(say('handover head'), say('handover lead')),
    labelled('person', say('person second'), person),
    labelled('number', say('number'), number, say('number hint')),
    acts(button(say('begin second'), begin), startOver()),
  ];
}

// ---- stage: the comparison

/// Fields that must be typed again: where the entries differ, and those that somebody asked to see again. Which entry was
/// right is never shown, and neither number is: whoever sees a number reads it on the paper too.
function compare() {
  const all = fields();
  const differing = all.filter((field) => (work.first[field.key] ?? '') !== (work.second[field.key] ?? ''));
  work.open = all.map((field) => field.key).filter((key) => work.open.includes(key) || differing.some((field) => field.key === key));
  remember();
  const open = all.filter((field) => work.open.includes(field.key));
  if (open.length === 0) { work.stage = 'rules'; remember(); return rules(); }
  const swapped = differing.flatMap((one, place) => differing.slice(place + 1).filter((other) =>
    work.first[one.key] === work.second[other.key] && work.second[one.key] === work.first[other.key]).map((other) => [one, other]));
  const isMuch = differing.length > 3 && differing.length * 3 > all.length;
  return [
    ...head(say(open.length === 1 ? 'compare head one' : 'compare head', figure(open.length)), say('compare lead')),
    isMuch && warning(say('compare much', where())),
    ...swapped.slice(0, 3).map(([one, other]) => warning(say('compare swapped', fullLabel(one), fullLabel(other)))),
    make('div', { class: 'rows' }, open.map(openRow)),
    acts(make('button', { type: 'button', class: 'btn', id: 'end', onclick: endCompare }, say('compare end')), startOver()),
  ];
}

function openRow(field, place) {
  const id = `open-${place}`;
  const told = make('p', { class: 'say soft', id: `${id}-say` }, say('compare again'));
  const input = numberInput(id, '', () => {});
  input.setAttribute('aria-describedby', told.id);
  if (place === 0) input.setAttribute('data-focus', '');
  const settled = (value) => {
    Object.assign(work.first, { [field.key]: value });
    work.second[field.key] = value;
    work.open = work.open.filter((key) => key !== field.key);
    work.time = null;
    work.saved = false;
    input.readOnly = true;
    input.value = value;
    input.removeAttribute('aria-invalid');
    told.replaceChildren(make('span', { class: 'tag ok' }, say('compare agreed')));
    none?.remove();
    tell(`${fullLabel(field)}: ${say('compare agreed')}`);
    remember();
  };
  const settle = () => {
    if (input.readOnly || input.value === '') return;
    const value = plain(input.value);
    input.value = '';
    if (!isNumber(value)) { told.textContent = say('large fields', figure(MOST)); return; }
    if (value === work.first[field.key] || value === work.second[field.key]) { settled(value); return; }
    // A third number: it counts when it is typed once more.
    work.first[field.key] = value;
    work.second[field.key] = '';
    told.textContent = say('compare third');
    tell(`${fullLabel(field)}: ${told.textContent}`);
    remember();
  };
  const none = field.mayBeEmpty && button(say('compare nothing'), () => settled(''), 'quiet small');
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || input.value === '') return;
    settle();
    // Enter stays where the number is due once more.
    if (!input.readOnly) event.stopImmediatePropagation();
  }, { capture: true });
  input.addEventListener('blur', settle);
  return make('div', { class: 'row alone' }, make('label', { for: id }, fullLabel(field)), input, told, none);
}

function endCompare() {
  if (work.open.length === 0) { go('rules'); return; }
  const due = [...main.querySelectorAll('input.figure')].find((input) => !input.readOnly);
  due.focus();
  tell(say('compare due'));
}

// ---- stage: what is strange

function rules() {
  const found = findings(tally());
  const open = () => found.filter((finding) => !work.seen[finding.id]);
  if (found.length === 0) { work.stage = 'save'; remember(); return save(); }
  const due = make('p', { class: 'note bad', id: 'due', tabindex: -1, hidden: true });
  const end = () => {
    if (open().length === 0) { go('save'); return; }
    due.hidden = false;
    due.textContent = say('rules due', figure(open().length));
    due.focus();
  };
  return [
    ...head(say(found.some((finding) => !isWarning(finding)) ? 'rules head' : 'rules head mild'), say('rules lead')),
    ...found.map(findingCard),
    due,
    acts(button(say('rules end'), end), startOver()),
  ];
}

function findingCard(finding, place) {
  const shown = fields().filter((field) => finding.keys.includes(field.key));
  const again = (field) => button(say('type again'), () => {
    work.first[field.key] = '';
    work.second[field.key] = '';
    work.open.push(field.key);
    go('compare');
  }, 'quiet small');
  const row = (field) => {
    const action = again(field);
    action.setAttribute('aria-label', `${say('type again')}: ${fullLabel(field)}`);
    const number = work.first[field.key];
    return make('tr', {}, make('th', { scope: 'row' }, fullLabel(field)), make('td', { class: 'n' }, number === '' ? '–' : figure(number)), make('td', { class: 'do' }, action));
  };
  const table = make('table', {}, make('tbody', {}, shown.map(row)));
  const many = 8;
  return make('section', { class: 'finding', 'aria-labelledby': `finding-${place}` },
    make('span', { class: isWarning(finding) ? 'tag warn' : 'tag bad' }, say(isWarning(finding) ? 'unusual' : 'does not add up', finding.code)),
    make('h2', { id: `finding-${place}` }, sentence(finding)),
    shown.length > many ? make('details', {}, make('summary', {}, say('the numbers', figure(shown.length))), table) : table,
    choice('checkbox', { name: 'seen', value: String(place), checked: Boolean(work.seen[finding.id]),
      onchange: (event) => { work.seen[finding.id] = event.target.checked; remember(); } }, say('paper says so')));
}

// ---- stage: the result

function save() {
  work.time ??= Date.now();
  const text = returnText();
  const bytes = new TextEncoder().encode(text);
  const hash = sha256(bytes);
  const { counts, lists } = tally();
  const flags = findings({ counts, lists });
  remember();
  const file = URL.createObjectURL(new Blob([bytes], { type: 'text/plain' }));
  const after = make('div', { class: 'note ok', hidden: !work.saved }, make('p', {}, say('saved', fileName())));
  const saved = () => {
    work.saved = true;
    after.hidden = false;
    const revision = Number(text.match(/^revision (\d+)$/m)[1]);
    done = [...done.filter((each) => each.unit !== work.unit || each.revision !== revision), { unit: work.unit, revision, hash, time: work.time }];
    keep('done', done);
    remember();
    tell(after.textContent);
  };
  const cast = counts.cast ?? (['valid', 'blank', 'invalid'].some((each) => each in counts) ? sum([counts.valid, counts.blank, counts.invalid]) : sum(lists.map(votes)));
  const isSmall = cast > 0 && cast < FACTS.leastCast;
  return [
    ...head(say(flags.length === 0 ? 'save head' : 'save head flags', where()), say('save lead')),
    isSmall && warning(say('too small', figure(FACTS.leastCast))),
    ...flags.map((finding) => warning(make('b', {}, finding.code), ' ', sentence(finding), ' ', say('paper says so'))),
    make('h2', {}, say('hash head')),
    make('p', { class: 'soft noprint' }, say('hash lead')),
    make('div', { class: 'hash', id: 'hash' }, hash.match(/.{4}/g).map((four) => make('span', {}, four))),
    acts(
      make('a', { class: 'btn', id: 'save', href: file, download: fileName(), onclick: saved }, say('save file')),
      button(say('print'), () => window.print(), 'quiet'),
      nextStation()),
    after,
    sheetFacts(),
    make('h2', {}, say('numbers head')),
    numberTable(counts, lists),
    signatures(),
    make('details', {}, make('summary', {}, say('text head')), make('pre', { id: 'text' }, text)),
  ];
}

/// The next station, or after a second press where this one is not saved.
function nextStation() {
  const begin = () => { work = fresh(); go('station'); };
  const next = button(say('next'), () => {
    if (work.saved) begin();
    else next.replaceWith(make('span', {}, say('next unsaved')), button(say('next anyway'), begin, 'quiet'));
  }, 'quiet');
  return next;
}

function sheetFacts() {
  const at = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'medium' }).format(work.time);
  const again = button(say('time again'), () => { work.time = Date.now(); work.saved = false; render(); }, 'quiet small noprint');
  const rows = [
    ['fact election', name(FACTS.title)], ['fact contest', name(FACTS.contest.title)], ['fact centre', name(FACTS.centre.name)],
    ['fact revision', work.correction ? `${plain(work.revision)}, ${say(`reason ${work.reason}`)}` : say('is first')],
    ['fact status', say(`status ${work.status}`)],
    ['fact people', `${work.people[0].trim()}, ${work.people[1].trim()}`],
    ['fact time', make('span', {}, `${at} (${spelled(work.time)}) `, again)],
    ['fact file', fileName()],
  ];
  return make('dl', { class: 'facts' }, rows.map(([words, value]) => [make('dt', {}, say(words)), make('dd', {}, value)]));
}

function numberTable(counts, lists) {
  const row = (words, number, kind = '') => make('tr', { class: kind }, make('th', { scope: 'row' }, words), make('td', { class: 'n' }, figure(number)));
  const rows = COUNTS.filter((count) => count.name in counts)
    .map((count) => row(count.letter ? `${count.letter}: ${say(`count ${count.name}`)}` : say(`count ${count.name}`), counts[count.name]));
  const listRows = LISTS.flatMap((of) => {
    const list = lists.find((each) => each.id === of.id);
    const names = new Map(of.candidates);
    const strong = list.candidates.length > 0 ? 'strong' : '';
    return [
      row([name(of.id), ' ', name(of.name)], votes(list), strong),
      list.only === null ? [] : row(say('list only'), list.only),
      ...list.candidates.map(([number, n]) => row([`${number} `, name(names.get(number))], n)),
    ].flat();
  });
  const many = listRows.length > 60 ? 'columns many' : listRows.length > 12 ? 'columns' : '';
  return make('div', {}, make('table', {}, make('tbody', {}, rows)),
    make('h2', {}, say('lists')),
    make('div', { class: many }, make('table', {}, make('tbody', {}, listRows))));
}

/// Only on paper.
function signatures() {
  const lines = [0, 1].map((place) => make('div', {}, say(place === 0 ? 'sign first' : 'sign second', work.people[place].trim())));
  return make('div', { class: 'signs' }, lines);
}

const STAGES = { station, about, first, handover, second, compare, rules, save };
render();
