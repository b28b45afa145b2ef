// The language of filters, as in `value < 2 and cluster in (3, 5)`: a text becomes a tree, or an error that says what is wrong.

export type Sign = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** A number or a word that a column is compared with. */
export interface Word {
  text: string;
  /** null if it is a word. */
  number: number | null;
}

export type Tree =
  | { kind: "and" | "or"; parts: Tree[] }
  | { kind: "not"; part: Tree }
  | { kind: "is"; column: string; sign: Sign; word: Word }
  | { kind: "in"; column: string; words: Word[] };

/** What is wrong with a filter, as a sentence. */
export class FilterError extends Error {}

interface Token extends Word {
  kind: "number" | "name" | "quoted" | "sign" | "end";
  /** Where it begins in the text, from 0. */
  at: number;
}

const TOKEN = /\s*(?:([-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(%?)|([\p{L}_][\p{L}\p{N}_.-]*)|(["'`])((?:\\.|(?!\4)[^\\])*)\4|(<=|>=|==|!=|[<>=≤≥≠(),]))/uy;
const SAME: Record<string, string> = { "=": "==", "≤": "<=", "≥": ">=", "≠": "!=" };
const SIGNS: readonly string[] = ["<", "<=", ">", ">=", "==", "!="];
const TURNED: Record<Sign, Sign> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" };
const KEYWORDS = ["and", "or", "not", "in"];
const LONGEST = 2000;
const DEEPEST = 60;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; text.slice(at).trim(); at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const from = at + text.slice(at).search(/\S/);
    if (!match) {
      const what = /["'`]/.test(text[from]) ? `The quotation mark ${text[from]} at character ${from + 1} is not closed.` : `“${[...text.slice(from)][0]}” at character ${from + 1} means nothing here.`;
      throw new FilterError(what);
    }
    const [, digits, percent, name, , quoted, sign] = match;
    if (digits !== undefined) found.push({ kind: "number", text: digits + percent, number: Number(digits.replace("−", "-")) / (percent ? 100 : 1), at: from });
    else if (name !== undefined) found.push({ kind: "name", text: name, number: null, at: from });
    else if (quoted !== undefined) found.push({ kind: "quoted", text: quoted.replace(/\\(.)/g, "$1"), number: null, at: from });
    else found.push({ kind: "sign", text: SAME[sign] ?? sign, number: null, at: from });
  }
  return [...found, { kind: "end", text: "", number: null, at: text.length }];
}

/** Read a filter; throws FilterError. */
export function parseFilter(text: string): Tree {
  if (!text.trim()) throw new FilterError("A filter compares a column with something, as in value < 2.");
  if (text.length > LONGEST) throw new FilterError(`A filter has at most ${LONGEST} characters; this one has ${text.length}.`);
  return new Reader(tokens(text)).read();
}

/** Reads tokens by recursive descent: or, then and, then not, then a comparison. */
class Reader {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  read(): Tree {
    const tree = this.either();
    if (this.now.kind !== "end") throw this.unexpected("and, or, or the end");
    return tree;
  }

  private get now(): Token {
    return this.tokens[this.at];
  }

  private isKeyword(word: string): boolean {
    return this.now.kind === "name" && this.now.text.toLowerCase() === word;
  }

  private takes(word: string): boolean {
    const found = this.isKeyword(word) || (this.now.kind === "sign" && this.now.text === word);
    if (found) this.at++;
    return found;
  }

  private unexpected(expected: string): FilterError {
    const { kind, text, at } = this.now;
    return new FilterError(`Expected ${expected}, but ${kind === "end" ? "the filter ends" : `“${text}” stands at character ${at + 1}`}.`);
  }

  private either(): Tree {
    const parts = [this.both()];
    while (this.takes("or")) parts.push(this.both());
    return parts.length > 1 ? { kind: "or", parts } : parts[0];
  }

  private both(): Tree {
    const parts = [this.negated()];
    while (this.takes("and")) parts.push(this.negated());
    return parts.length > 1 ? { kind: "and", parts } : parts[0];
  }

  private negated(): Tree {
    if (++this.depth > DEEPEST) throw new FilterError(`A filter is nested at most ${DEEPEST} deep.`);
    try {
      if (this.takes("not")) return { kind: "not", part: this.negated() };
      if (!this.takes("(")) return this.comparison();
      const inner = this.either();
      if (!this.takes(")")) throw this.unexpected("a closing parenthesis");
      return inner;
    } finally {
      this.depth--;
    }
  }

  private comparison(): Tree {
    const first = this.operand("a column");
    const negated = this.takes("not");
    if (negated && !this.isKeyword("in")) throw this.unexpected("in");
    if (this.takes("in")) {
      const among: Tree = { kind: "in", column: named(first), words: this.words() };
      return negated ? { kind: "not", part: among } : among;
    }
    const sign = this.sign();
    if (!sign) throw this.unexpected("<, <=, >, >=, ==, != or in");
    const second = this.operand(first.kind === "number" ? "a column" : "a number or a word");
    const next = this.sign();
    if (next) {
      const third = this.operand("a number or a word");
      const column = named(second);
      return { kind: "and", parts: [{ kind: "is", column, sign: TURNED[sign], word: first }, { kind: "is", column, sign: next, word: third }] };
    }
    return first.kind === "number" ? { kind: "is", column: named(second), sign: TURNED[sign], word: first } : { kind: "is", column: named(first), sign, word: second };
  }

  private sign(): Sign | null {
    if (this.now.kind !== "sign" || !SIGNS.includes(this.now.text)) return null;
    return this.tokens[this.at++].text as Sign;
  }

  private operand(what: string): Token {
    const { kind, text } = this.now;
    if (kind === "sign" || kind === "end" || (kind === "name" && KEYWORDS.includes(text.toLowerCase()))) throw this.unexpected(what);
    return this.tokens[this.at++];
  }

  private words(): Word[] {
    if (!this.takes("(")) throw this.unexpected("an opening parenthesis after in");
    const words = [this.operand("a number or a word")];
    while (this.takes(",")) words.push(this.operand("a number or a word"));
    if (!this.takes(")")) throw this.unexpected("a comma or a closing parenthesis");
    return words;
  }
}

function named({ kind, text, at }: Token): string {
  if (kind === "number") throw new FilterError(`Expected a column at character ${at + 1}, but it is the number ${text}.`);
  return text;
}

/** Names of the columns that a filter compares. */
export function columnsIn(tree: Tree): Set<string> {
  if (tree.kind === "not") return columnsIn(tree.part);
  if ("parts" in tree) return new Set(tree.parts.flatMap((part) => [...columnsIn(part)]));
  return new Set([tree.column]);
}

/** A name or a word as it is written in a filter. */
export function written(text: string): string {
  const isPlain = /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(text) && !KEYWORDS.includes(text.toLowerCase());
  return isPlain ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
