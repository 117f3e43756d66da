import { shortened } from '../../core/model/errors.ts'

/** A `TypeError` with the `code` and `field` of a `ZaelError`. `must` completes the sentence "<field> must …". */
export const invalidArgument = (field: string, must: string): TypeError => {
  const repeated = shortened(field)
  return Object.assign(new TypeError(`${repeated} must ${must}`), {
    code: 'invalid_request',
    field: repeated,
  })
}
