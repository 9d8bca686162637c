/** A service's operations as the pipeline wants them: functions of (context, input, request) with their context given. */
import { AwsError } from "../aws/errors.ts";
import type { Handlers, Input, OperationName, Output, RequestContext } from "../aws/operations.ts";

/** `M` is the SDK's module of the service. Each function reads the store, and writes it in one transaction. */
export type Operations<M, Context> = {
  [Name in OperationName<M>]?: (
    context: Context,
    input: Input<M, Name>,
    request: RequestContext,
  ) => Output<M, Name> | Promise<Output<M, Name>>;
};

/**
 * A parameter that the operation does not have is refused, so that none is dropped, with the error `code`, which is query services' own if it is not
 * said. `admit` may throw for a request that the service takes from nobody, whatever policies say.
 */
export function bindQuery<M, Context>(
  context: Context,
  operations: Operations<M, Context>,
  admit: (request: RequestContext, operation: string) => void = () => {},
  code = "ValidationError",
): Handlers<M> {
  type Any = (context: Context, input: never, request: RequestContext) => unknown;
  const bound = Object.entries(operations as Record<string, Any>).map(([name, operation]) => [
    name,
    async (input: never, request: RequestContext) => {
      admit(request, name);
      if (request.unknownMembers.length > 0)
        throw new AwsError(code, `${request.unknownMembers.join(", ")}: not a parameter of ${name} that this version knows. Leave it out.`);
      return operation(context, input, request);
    },
  ]);
  return Object.fromEntries(bound) as Handlers<M>;
}
