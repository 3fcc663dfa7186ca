package webhook

import (
	"context"
	"errors"
	"net/url"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// asking is how long it is at least from one question to the next where the API server does
// not answer, and half of how long it is at most.
const asking = time.Second

// insisting asks an API server that does not answer until it does. client-go would wait
// longer from time to time, at last for a minute: for so long after its return the gate
// would judge by rules that may have changed. A few replicas that ask every second or two
// are nothing to it.
func insisting(lw cache.ListerWatcherWithContext) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return insist(ctx, func() (runtime.Object, error) { return lw.ListWithContext(ctx, o) })
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return insist(ctx, func() (watch.Interface, error) { return lw.WatchWithContext(ctx, o) })
		},
	}
}

// insist asks until there is an answer, which may be an error or one that cannot be read, or
// ctx ends.
func insist[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	for told := false; ; told = true {
		answer, err := ask()
		if unanswered := (*url.Error)(nil); !errors.As(err, &unanswered) || ctx.Err() != nil {
			return answer, err
		}
		if !told {
			logf.FromContext(ctx).WithName("informers").Info("the API server does not answer: what is known here may get old", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(wait.Jitter(asking, 1)):
		}
	}
}
