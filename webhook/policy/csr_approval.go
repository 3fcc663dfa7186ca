package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// csrApproval: CIS 1.8 5.1.11. resourceNames confine nothing: who makes a request chooses
// its name.
var csrApproval = about("csr-approval", rbac.Power{
	Deed: rbac.ApprovesCertificates, Verbs: []string{"update", "patch"}, Group: "certificates.k8s.io",
	Resources: []string{"certificatesigningrequests/approval"}, Cluster: true,
})
