import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A position in a loaded file, in a line of a stack trace. */
const POSITION = /(file:\/\/[^\s()]+):(\d+):(\d+)/

/** The way from a bundle's directory to the project's root. */
const UPWARDS = /^(?:\.\.\/)+/

/**
 * From now on, stack traces contain the lines of the sources: `src/http/app.ts:12:3`. A map is read when the first trace that
 * is printed contains its file; `--enable-source-maps` reads the map of every file as it is loaded, a fifth of a Lambda's start.
 */
export const traceToSources = (): void => {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (url: string): SourceMap | undefined => {
    if (!maps.has(url)) maps.set(url, readMap(url))
    return maps.get(url)
  }
  Error.prepareStackTrace = (error, frames) =>
    [Error.prototype.toString.call(error), ...frames.map((frame) => sourceFrame(String(frame), mapOf))].join(
      '\n    at ',
    )
}

/** Undefined if there is none, or it is unreadable: traces of other files, and of a failure here, stay as they are. */
const readMap = (url: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')))
  } catch {
    return undefined
  }
}

const sourceFrame = (frame: string, mapOf: (url: string) => SourceMap | undefined): string =>
  frame.replace(POSITION, (position, url, line, column) => {
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1)
    if (entry === undefined || !('originalSource' in entry)) return position
    return `${entry.originalSource.replace(UPWARDS, '')}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
