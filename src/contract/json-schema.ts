const schemas = new WeakMap<object, object>()

/**
 * `check`, with the JSON schema that describes it in the OpenAPI document: the converter supports neither checks by code nor
 * numbers read from text. `{}`: no description.
 */
export const describedAs = <A extends object>(check: A, schema: object): A => {
  schemas.set(check, schema)
  return check
}

interface Converted {
  readonly valibotAction: object
  readonly jsonSchema: object
}

/** Options for the conversion of valibot's schemas to JSON schemas: of the JSON that is sent, not of the parsed value. */
export const JSON_SCHEMA_OPTIONS = {
  typeMode: 'input',
  overrideAction: ({ valibotAction, jsonSchema }: Converted): object | undefined => {
    const schema = schemas.get(valibotAction)
    return schema && { ...jsonSchema, ...schema }
  },
} as const
