// Two texts → what differs between them.

const MOST_CELLS = 4_000_000;

// Words, numbers and single other characters; blanks are parts of their own.
function tokens(text) {
  return text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}]+|\s+|[^]/gu) || [];
}

// [[kind, text], ...] with the kinds "same", "first" and "second": a shortest edit of `first` into `second`. If both are
// long, their middles count as different as a whole.
function difference(first, second) {
  const [a, b] = [tokens(first), tokens(second)];
  let [start, end] = [0, 0];
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const middle = x.length * y.length > MOST_CELLS ? [...x.map((t) => ["first", t]), ...y.map((t) => ["second", t])] : edits(x, y);
  const all = [...a.slice(0, start).map((t) => ["same", t]), ...middle, ...a.slice(a.length - end).map((t) => ["same", t])];
  const joined = [];
  for (const [kind, text] of all) {
    const last = joined[joined.length - 1];
    if (last && last[0] === kind) last[1] += text;
    else joined.push([kind, text]);
  }
  return joined;
}

// The same for lists of tokens, by the longest common subsequence, in which blanks count less than words.
function edits(x, y) {
  const width = y.length + 1;
  const longest = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i -= 1) {
    for (let j = y.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        x[i] === y[j]
          ? longest[(i + 1) * width + j + 1] + (x[i].trim() ? 2 : 1)
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      parts.push(["same", x[i]]);
      i += 1;
      j += 1;
    } else if (j >= y.length || (i < x.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      parts.push(["first", x[i]]);
      i += 1;
    } else {
      parts.push(["second", y[j]]);
      j += 1;
    }
  }
  return parts;
}

// The nodes of one of the two texts, with what the other one has not marked.
function oneSide(parts, side) {
  return parts
    .filter(([kind]) => kind === "same" || kind === side)
    .map(([kind, text]) => (kind === "same" ? text : el("mark", { class: "differs" }, text)));
}
