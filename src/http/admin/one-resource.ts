import { invalid } from '../../core/model/errors.ts'

/**
 * The resource that a write names in its body; or in its query, as reads and deletions do, so that one which is named there
 * is not taken for none. Throws `invalid_request` where they differ.
 */
export const oneResource = (
  inBody: string | undefined,
  { resource: inQuery }: { readonly resource?: string },
): string | undefined => {
  if (inBody !== undefined && inQuery !== undefined && inBody !== inQuery)
    throw invalid('resource', 'be the same in the body and in the query')
  return inBody ?? inQuery
}
