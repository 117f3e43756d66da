/** A failure that the person who runs a command can correct: its message is printed in one line, without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError'
}
