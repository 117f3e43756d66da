import { readFile } from 'node:fs/promises'
import { reasonOf, StartError } from '../../src/command-line/failure.ts'

/**
 * The value of a YAML file; `setting` names the file in errors. Throws `StartError` without the parser's own message, which
 * may quote the text around an error, including keys.
 */
export const readYamlFile = async (path: string, setting: string): Promise<unknown> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StartError(`${setting} ${path} cannot be read: ${reasonOf(error)}`)
  })
  // loaded here: most starts read no file
  // by its default export: a bundle of a CommonJS package that is imported at run time has no other
  const { parse, YAMLParseError } = (await import('yaml')).default
  try {
    return parse(text)
  } catch (error) {
    const place = error instanceof YAMLParseError ? error.linePos?.[0] : undefined
    const where = place === undefined ? '' : ` (line ${place.line}, column ${place.col})`
    throw new StartError(`${setting} ${path} must be YAML${where}`)
  }
}
