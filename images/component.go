package images

import "maps"

// Component is a program that has an image.
type Component struct {
	Name        string // of the program in cmd/, in the image, and of the image below Project
	Description string
	User        string
}

// Project is what the names of all images begin with.
const Project = "hardgate"

// Who programs run as. The agent reads what is root's on its node; its pod says what
// else it may not do.
const (
	nobody = "65532:65532"
	root   = "0:0"
)

// Components are all programs that have an image.
var Components = []Component{
	{Name: "webhook", User: nobody, Description: "Admission webhook that judges workloads against hardening policies"},
	{Name: "controller", User: nobody, Description: "Controller that taints drifted nodes and rolls policies out"},
	{Name: "nodecheck", User: root, Description: "Agent that verifies the hardening of the node it runs on"},
	{Name: "hardgate", User: nobody, Description: "Command line that judges manifests, nodes and clusters"},
}

// Path is the program in its image.
func (c Component) Path() string { return "/" + c.Name }

// labels say what an image is (OCI image specification, annotations.md).
func (c Component) labels(version, revision, created string) map[string]string {
	const vendor = "org.opencontainers.image."
	labels := map[string]string{
		vendor + "title":       Project + "/" + c.Name,
		vendor + "description": c.Description,
		vendor + "licenses":    "Apache-2.0",
		vendor + "source":      "https://github.com/hardgate-dev/hardgate",
		vendor + "version":     version,
		vendor + "revision":    revision,
		vendor + "created":     created,
	}
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	return labels
}
