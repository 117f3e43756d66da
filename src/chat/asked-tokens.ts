import type { ChatRequest } from '../core/ports/chat-backend.ts'

/** Completion tokens that `request` asks for in each choice; `otherwise` where it sets no bound. */
export const askedPerChoice = (request: ChatRequest, otherwise: number): number =>
  request.max_completion_tokens ?? request.max_tokens ?? otherwise

export const askedChoices = (request: ChatRequest): number => request.n ?? 1
