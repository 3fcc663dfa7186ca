package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// persistentVolumeCreation: CIS 1.8 5.1.9. A claim does not count: what it may be bound to
// is the provisioner's to decide.
var persistentVolumeCreation = about("persistent-volume-creation", rbac.Power{
	Deed: rbac.CreatesVolumes, Verbs: []string{"create"}, Resources: []string{"persistentvolumes"}, Cluster: true,
})
