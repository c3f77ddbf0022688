/** Anything that JSON can carry. */
export type Json =
  | null
  | boolean
  | number
  | string
  | Json[]
  | { readonly [key: string]: Json };
