/** See https://standardschema.dev: valibot, zod and arktype schemas are of this shape. */
export interface StandardSchema<O> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => SchemaResult<O> | Promise<SchemaResult<O>>;
  };
}

export type SchemaResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };
