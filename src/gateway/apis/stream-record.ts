import type { ModelUsage } from '../../core/ports/model-backend.ts'
import type { InputUsage, StreamReader } from './wire-api.ts'

/** What a stream has contained so far, whatever its API. */
export interface StreamRecord extends Pick<StreamReader, 'hasOutput' | 'usage' | 'inputUsage' | 'takeText'> {
  /** Text of the model, and whether a client has something to show (also without text). */
  add(text: string, isVisible?: boolean): void
  /** A usage that is not zero; undefined: none. */
  report(usage: ModelUsage | undefined): void
  /** The input, before the output is known. */
  reportInput(input: InputUsage | undefined): void
}

export const createStreamRecord = (): StreamRecord => {
  let texts: string[] = []
  let hasOutput = false
  let usage: ModelUsage | undefined
  let input: InputUsage | undefined
  const isCredible = () => usage !== undefined && (usage.outputTokens > 0 || !hasOutput)
  return {
    add(text, isVisible = text !== '') {
      if (text !== '') texts.push(text)
      hasOutput ||= isVisible
    },
    report(reported) {
      if (reported === undefined) return
      usage = reported
      input = inputOf(reported)
    },
    reportInput(reported) {
      input = reported ?? input
    },
    hasOutput: () => hasOutput,
    usage: () => (isCredible() ? usage : undefined),
    inputUsage: () => (isCredible() ? undefined : input),
    takeText() {
      const text = texts.join('')
      texts = []
      return text
    },
  }
}

const inputOf = ({ outputTokens: _, responseId: __, ...input }: ModelUsage): InputUsage => input
