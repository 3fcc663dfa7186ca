package controller

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// selfTest is what is known of the way from the API server to the webhook.
type selfTest struct {
	at  time.Time // zero where nothing is known
	err error
}

// asking is how often the self-test is made where nothing depends on it: often enough that
// one which is lost is no gap.
const asking = v1alpha1.HeartbeatGap / 4

// reached asks the API server whether it reaches the webhook, and says what is in the way.
// The question is a ClusterReport that is created on trial: it is stored by nobody, and
// denied by the webhook alone, in words that are known. It is asked every few minutes, as
// the webhook's heartbeat is of these questions; where something depends on it now, or where
// it failed, once a tick. It is not asked where the API server may ask the webhook about
// less than it should.
//
// What answers is the API server that this controller happens to speak to. Where there are
// several, the others may not reach the webhook: they cannot be told apart from here.
func (c *Controller) reached(ctx context.Context, now time.Time, depends bool) error {
	if c.astray != nil {
		return c.astray
	}
	last := c.selfTest
	good := min(c.Options.Interval, asking)
	if depends || last.err != nil {
		good = c.Options.Tick
	}
	if !last.at.IsZero() && now.Sub(last.at) < good {
		return last.err
	}
	version, err := c.askSelfTest(ctx)
	if ctx.Err() != nil {
		return ctx.Err() // it ends, which says nothing of the webhook
	}
	c.selfTest = selfTest{at: now, err: err}
	c.tellOfSelfTest(ctx, &last, version)
	return err
}

// askSelfTest asks, and returns the version of the webhook that has answered.
func (c *Controller) askSelfTest(ctx context.Context) (version string, _ error) {
	trial := &v1alpha1.ClusterReport{ObjectMeta: metav1.ObjectMeta{Name: registration.SelfTestObject}}
	err := c.client.Create(ctx, trial, client.DryRunAll, client.FieldOwner(fieldManager))
	version, reached := registration.Reached(err)
	switch {
	case reached:
		return version, nil
	case err == nil, apierrors.IsAlreadyExists(err):
		return "", fmt.Errorf("it asks nobody about the ClusterReport %s: install the ValidatingWebhookConfiguration %s", registration.SelfTestObject, registration.Name)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "cannot create resource"):
		return "", fmt.Errorf("give hardgate-controller the right to create clusterreports: %s", words(err))
	}
	return "", errors.New(words(err))
}

// tellOfSelfTest logs what is known now where it is something else than before.
func (c *Controller) tellOfSelfTest(ctx context.Context, last *selfTest, version string) {
	log := logf.FromContext(ctx)
	err := c.selfTest.err
	if err != nil {
		c.Metrics.reached.WithLabelValues().Set(0)
		if last.err == nil || last.err.Error() != err.Error() {
			log.Error(err, "the API server does not reach the webhook: nothing is promoted, and no further namespace fails closed")
		}
		return
	}
	c.Metrics.reached.WithLabelValues().Set(1)
	if last.at.IsZero() || last.err != nil {
		log.Info("the API server reaches the webhook", "version", version)
	}
}

// source is the near end of a connection: another one at each trial.
var source = regexp.MustCompile(`\S+->`)

const maxWords = 500

// words are what a status says of an error: one that is the same says the same.
func words(err error) string {
	text := source.ReplaceAllString(err.Error(), "")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	return text
}
