import type { LoadOptions } from './options/options.ts'

export type Content = Pick<LoadOptions, 'isCheck' | 'model' | 'message' | 'maxTokens' | 'payloadCacheSize'>

const check = ({ model, maxTokens }: Content): object => ({
  resource: model,
  cost: { requests: 1, tokens: maxTokens },
})

/** The first says the message as it was given, the others with their number behind it. */
const chat = ({ model, message, maxTokens }: Content, index: number): object => ({
  model,
  max_tokens: maxTokens,
  messages: [{ role: 'user', content: index === 0 ? message : `${message} (${index})` }],
})

/** All bodies that will be sent, different from each other. Checks differ in nothing: there is one. */
export const createPayloads = (content: Content): readonly Buffer[] => {
  const length = content.isCheck ? 1 : content.payloadCacheSize
  return Array.from({ length }, (_, index) =>
    Buffer.from(JSON.stringify(content.isCheck ? check(content) : chat(content, index))),
  )
}
