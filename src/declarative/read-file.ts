import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { type Declaration, parseDeclaration } from '../contract/declaration.ts'
import type { LocatedFault } from '../contract/parse.ts'
import { shortened } from '../core/model/errors.ts'

/** A mistake in a file. Lines and columns are counted from 1. */
export interface Mistake {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A file that was read: what it declares, and where. */
export interface DeclarationFile {
  readonly declaration: Declaration
  /** The mistake of a fault that is found later, in view of what is stored. */
  mistakeOf(fault: LocatedFault): Mistake
}

/** The largest file: far above 100,000 entities. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024

/** The declaration in a YAML or JSON text, or every mistake of it, in the order of lines. */
export const readDeclaration = (
  text: string,
): { readonly file: DeclarationFile } | { readonly mistakes: readonly Mistake[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const syntax = [...document.errors, ...document.warnings].map(({ pos: [at], code }) =>
    mistakeAt(lines, at, SYNTAX[code] ?? `this is not well-formed YAML (${code})`),
  )
  if (syntax.length > 0) return { mistakes: inOrder(syntax) }
  const mistakeOf = (fault: LocatedFault): Mistake => locate(document, lines, fault)
  const value = contentOf(document)
  if ('must' in value) return { mistakes: [mistakeOf({ path: [], must: value.must })] }
  const parsed = parseDeclaration(value.value)
  if ('faults' in parsed) return { mistakes: inOrder(parsed.faults.map(mistakeOf)) }
  return { file: { declaration: parsed.declaration, mistakeOf } }
}

/** Texts for frequent errors of syntax. Those of the parser may repeat the text around the error, secrets included. */
const SYNTAX: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name is there twice in one mapping',
  MULTIPLE_DOCS: 'the file contains several documents: only one is allowed',
  TAB_AS_INDENT: 'a tab indents this line: use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known: values need no tags',
  BAD_INDENT: 'this line is not indented as the lines before it require',
  MISSING_CHAR: 'a quote, a bracket, a comma or a space is missing before this',
}

/** Aliases are resolved, up to a number that no file of a person contains. */
const contentOf = (document: Document.Parsed): { readonly value: unknown } | { readonly must: string } => {
  try {
    return { value: document.toJS() ?? {} }
  } catch (error) {
    const isUnknown = error instanceof Error && error.message.startsWith('Unresolved alias')
    return { must: isUnknown ? 'define each anchor before its aliases' : 'contain fewer aliases' }
  }
}

const mistakeAt = (lines: LineCounter, at: number, message: string): Mistake => {
  const { line, col } = lines.linePos(at)
  return { line, column: col, message }
}

const inOrder = (mistakes: readonly Mistake[]): readonly Mistake[] =>
  [...mistakes].sort((a, b) => a.line - b.line || a.column - b.column)

/** The mistake of a fault, at the node that its path leads to, or at the nearest one around it that exists. */
const locate = (document: Document.Parsed, lines: LineCounter, { path, must }: LocatedFault): Mistake => {
  let node: Node | null = document.contents
  let at = node?.range?.[0] ?? 0
  let text = ''
  for (const segment of path) {
    const container: Node | null = isAlias(node) ? (node.resolve(document) ?? null) : node
    text += isSeq(container) ? `[${segment}]` : `.${shortened(segment)}`
    const child = childOf(container, segment)
    at = child.at ?? at
    node = child.node
  }
  const field = text.replace(/^\./, '') || 'the file'
  return mistakeAt(lines, at, `${field} must ${must}`)
}

interface Child {
  /** The offset of its key, or of an item of a list; undefined: it does not exist. */
  readonly at: number | undefined
  readonly node: Node | null
}

const NO_CHILD: Child = { at: undefined, node: null }

const childOf = (container: Node | null, segment: string): Child => {
  if (isMap<Node, Node | null>(container)) {
    const pair = container.items.find(({ key }) => isScalar(key) && String(key.value) === segment)
    return pair === undefined ? NO_CHILD : { at: pair.key.range?.[0], node: pair.value }
  }
  if (!isSeq<Node>(container)) return NO_CHILD
  const item = container.items[Number(segment)]
  return item === undefined ? NO_CHILD : { at: item.range?.[0], node: item }
}
