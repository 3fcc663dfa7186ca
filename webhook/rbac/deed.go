package rbac

// Deed is what a power lets its holder do. Each is one fault, in however many ways rules
// grant it: a role that could create Deployments and now creates pods does nothing new.
// One that could bind roles and now binds cluster roles does: it reaches further.
type Deed string

// The deeds that controls are about, as messages say them: "which reads secrets".
const (
	ReadsSecrets              Deed = "reads secrets"
	UsesWildcards             Deed = "uses wildcards"
	CreatesPods               Deed = "creates pods"
	BindsRoles                Deed = "binds roles beyond its own rights"
	BindsClusterRoles         Deed = "binds cluster roles beyond its own rights"
	EscalatesRoles            Deed = "gives roles rights beyond its own"
	EscalatesClusterRoles     Deed = "gives cluster roles rights beyond its own"
	ImpersonatesAccounts      Deed = "impersonates service accounts"
	ImpersonatesUsers         Deed = "impersonates users"
	ImpersonatesGroups        Deed = "impersonates groups"
	ImpersonatesNodes         Deed = "impersonates nodes"
	CreatesVolumes            Deed = "creates persistent volumes"
	UsesNodeProxy             Deed = "uses the proxy of nodes"
	ApprovesCertificates      Deed = "approves certificate signing requests"
	ChangesValidatingWebhooks Deed = "changes validating webhooks"
	ChangesMutatingWebhooks   Deed = "changes mutating webhooks"
	CreatesTokens             Deed = "creates tokens of service accounts"
)
