package rbac

import (
	"os"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// The list is shown to users as it is.
func TestOwnRolesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 6 {
			rows[strings.TrimSpace(cells[1])] = line
		}
	}
	for _, o := range OwnRoles() {
		name := o.Name
		if o.Namespace != "" {
			name = o.Namespace + "/" + o.Name
		}
		row := rows[o.Kind+" `"+name+"`"]
		for _, deed := range o.Deeds {
			if !strings.Contains(row, string(deed)) && o.Name != ClusterAdmin {
				t.Errorf("docs/roles.md does not say that %s %s", name, deed)
			}
		}
		if row == "" || o.Why == "" || !strings.Contains(row, o.Why) {
			t.Errorf("docs/roles.md does not say what %s is for", name)
		}
	}
}

func TestOwnBinding(t *testing.T) {
	masters := workload.RBACSubject{Kind: "Group", Name: Masters}
	cleaner := workload.RBACSubject{Kind: "ServiceAccount", Namespace: "kube-system", Name: "token-cleaner"}
	admin, clean := OwnRole("ClusterRole", "ignored", ClusterAdmin), OwnRole("Role", "kube-system", "system:controller:token-cleaner")
	tests := map[string]struct {
		own                   *Own
		kind, namespace, name string
		who                   workload.RBACSubject
		want                  bool
	}{
		"the binding":              {admin, "ClusterRoleBinding", "", ClusterAdmin, masters, true},
		"in a namespace":           {admin, "RoleBinding", "shop", ClusterAdmin, masters, false},
		"another name":             {admin, "ClusterRoleBinding", "", "mine", masters, false},
		"a user called so":         {admin, "ClusterRoleBinding", "", ClusterAdmin, workload.RBACSubject{Kind: "User", Name: Masters}, false},
		"kubeadm":                  {admin, "ClusterRoleBinding", "", "kubeadm:cluster-admins", workload.RBACSubject{Kind: "Group", Name: "kubeadm:cluster-admins"}, true},
		"kubeadm, another role":    {OwnRole("ClusterRole", "", "edit"), "ClusterRoleBinding", "", "kubeadm:cluster-admins", workload.RBACSubject{Kind: "Group", Name: "kubeadm:cluster-admins"}, false},
		"a role of a namespace":    {clean, "RoleBinding", "kube-system", clean.Name, cleaner, true},
		"in another namespace":     {clean, "RoleBinding", "shop", clean.Name, cleaner, false},
		"the cluster's, of a role": {clean, "ClusterRoleBinding", "", clean.Name, cleaner, false},
		"a role bound to nobody":   {OwnRole("ClusterRole", "", "system:node"), "ClusterRoleBinding", "", "system:node", workload.RBACSubject{Kind: "Group", Name: "system:nodes"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := OwnBinding(tt.own, tt.kind, tt.namespace, tt.name, tt.who); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	for _, not := range [][3]string{{"Role", "shop", "edit"}, {"ClusterRole", "", "system:mine"}, {"Role", "shop", clean.Name}} {
		if OwnRole(not[0], not[1], not[2]) != nil {
			t.Errorf("%v is one of Kubernetes' own", not)
		}
	}
	var none *Own
	if none.Does(ReadsSecrets) {
		t.Error("no role does something")
	}
}
