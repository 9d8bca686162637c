/**
 * Reading and removing what no account here has: passwords, MFA devices, certificates, SSH keys, providers. What would make them is not there yet, so
 * every list is truly empty, and clients that always ask (Terraform, before it deletes a user) get IAM's answer for that.
 */
import type { IamContext, IamRequest, In } from "./context.ts";
import { noSuchEntity } from "./errors.ts";
import { theUserOrSelf } from "./lookup.ts";

async function noPassword({ store }: IamContext, input: { UserName?: string }, request: IamRequest): Promise<never> {
  const user = await theUserOrSelf(store.db, request, input.UserName);
  throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
}

const none = <Shape>(shape: Shape) => {
  return async ({ store }: IamContext, input: { UserName?: string }, request: IamRequest) => {
    await theUserOrSelf(store.db, request, input.UserName);
    return { ...shape, IsTruncated: false };
  };
};

export const absentOperations = {
  GetLoginProfile: noPassword,
  DeleteLoginProfile: noPassword,
  GetAccountPasswordPolicy: (_context: IamContext, _input: unknown, request: IamRequest): never => {
    throw noSuchEntity(`The Password Policy with domain name ${request.accountId} cannot be found.`);
  },
  ListMFADevices: none({ MFADevices: [] }),
  ListSigningCertificates: none({ Certificates: [] }),
  ListSSHPublicKeys: none({ SSHPublicKeys: [] }),
  ListServiceSpecificCredentials: async ({ store }: IamContext, input: In<"ListServiceSpecificCredentials">, request: IamRequest) => {
    if (input.UserName !== undefined) await theUserOrSelf(store.db, request, input.UserName);
    return { ServiceSpecificCredentials: [], IsTruncated: false };
  },
  ListVirtualMFADevices: () => ({ VirtualMFADevices: [], IsTruncated: false }),
  ListServerCertificates: () => ({ ServerCertificateMetadataList: [], IsTruncated: false }),
  ListSAMLProviders: () => ({ SAMLProviderList: [] }),
  ListOpenIDConnectProviders: () => ({ OpenIDConnectProviderList: [] }),
};
