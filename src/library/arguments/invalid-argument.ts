/** A `TypeError` with the `code` and `field` of a `ZaelError`. `must` completes the sentence "<field> must …". */
export const invalidArgument = (field: string, must: string): TypeError =>
  Object.assign(new TypeError(`${field} must ${must}`), { code: 'invalid_request', field })
