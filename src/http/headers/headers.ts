/**
 * The headers of one answer, names in lower case, made for it alone: whoever gets them may add to them. A record that begins
 * as `{}` and is added to under names that stand in the code takes a fifth of a microsecond for twenty of them; spread together
 * of several it takes many times as long (docs/decisions/035).
 */
export type Headers = Record<string, string>
