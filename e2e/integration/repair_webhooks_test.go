package integration

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// A webhook that comes after puts a sidecar into the pod: it is repaired as well.
func TestRepairOfWhatAnotherWebhookAdds(t *testing.T) {
	namespace := newNamespace(t)
	repairIn(t, namespace, lab.gate.URL(), podControls...)
	injectSidecar(t, namespace)
	var pod *corev1.Pod
	for deadline := time.Now().Add(20 * time.Second); pod == nil || len(pod.Spec.Containers) < 2; time.Sleep(50 * time.Millisecond) {
		var err error
		if pod, err = lab.admin.CoreV1().Pods(namespace).Create(t.Context(), barePod(namespace), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("no sidecar is injected")
		}
	}
	for _, c := range pod.Spec.Containers {
		sec := c.SecurityContext
		if sec == nil || sec.AllowPrivilegeEscalation == nil || sec.Capabilities == nil || len(sec.Capabilities.Drop) != 1 {
			t.Errorf("container %s has %v", c.Name, sec)
		}
	}
	if got := pod.Annotations[repairedAnnotation]; got != "net-raw,privilege-escalation,seccomp" {
		t.Errorf("annotation %q", got)
	}
}

// injectSidecar has the API server ask a webhook that adds a container to pods, after the
// gate.
func injectSidecar(t *testing.T, namespace string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(req.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if !strings.Contains(string(review.Request.Object.Raw), `"name":"sidecar"`) {
			review.Response.PatchType = new(admissionv1.PatchTypeJSONPatch)
			review.Response.Patch = []byte(`[{"op":"add","path":"/spec/containers/-","value":{"name":"sidecar","image":"registry.example.com/sidecar"}}]`)
		}
		review.Request = nil
		if err := json.NewEncoder(w).Encode(review); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	built := registration.BuildMutating(registration.Options{
		URL: server.URL, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		Repaired: registration.Repaired{Namespaces: []string{namespace}},
	})
	built.Name, built.Webhooks = "zz-sidecar-"+namespace, built.Webhooks[1:]
	built.Webhooks[0].Name = "sidecar.example.com"
	register(t, built)
}

// A registration that follows what is repaired is, as the API server stores it, what was
// wanted.
func TestRepairRegistrationIsFollowed(t *testing.T) {
	client := lab.admin.AdmissionregistrationV1().MutatingWebhookConfigurations()
	built := registration.BuildMutating(registration.Options{URL: lab.gate.URL(), CABundle: lab.gate.CA()})
	built.Name = "hardgate-followed"
	register(t, built)
	for _, repaired := range []registration.Repaired{
		{Namespaces: []string{"no-such-namespace"}}, {Everywhere: true, Accounts: true}, {Namespaces: []string{"no-such-namespace"}, Accounts: true}, {},
	} {
		stored, err := client.Get(t.Context(), built.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wanted, differs, err := registration.FollowRepaired(stored, []string{enforced}, repaired)
		if err != nil || !differs {
			t.Fatalf("%+v: differs %v, error %v", repaired, differs, err)
		}
		if stored, err = client.Update(t.Context(), wanted, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if wanted, differs, err = registration.FollowRepaired(stored, []string{enforced}, repaired); err != nil || differs {
			t.Errorf("%+v is not stored as it is wanted: error %v (-stored +wanted):\n%s", repaired, err, cmp.Diff(stored.Webhooks, wanted.Webhooks))
		}
	}
}
