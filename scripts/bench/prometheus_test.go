package bench

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/b3771e63/prodcons/pkg/prodcons"
)

// groupMetrics gives a group's statistics to Prometheus when it asks for them:
// numbers from Stats, which cost nothing until then.
type groupMetrics struct{ stats func() prodcons.Stats }

var (
	made   = prometheus.NewDesc("items_made_total", "Items that producers have made.", nil, nil)
	used   = prometheus.NewDesc("items_used_total", "Items that consumers have picked up.", nil, nil)
	queued = prometheus.NewDesc("items_queued", "Items in the queue.", nil, nil)
	busy   = prometheus.NewDesc("consumer_busy_ratio", "The part of its time that a consumer is busy.", []string{"consumer"}, nil)
)

func (m groupMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

func (m groupMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.stats()
	ch <- prometheus.MustNewConstMetric(made, prometheus.CounterValue, float64(s.Made))
	ch <- prometheus.MustNewConstMetric(used, prometheus.CounterValue, float64(s.Count))
	ch <- prometheus.MustNewConstMetric(queued, prometheus.GaugeValue, float64(s.Queued))
	for i, u := range s.Utilisation {
		ch <- prometheus.MustNewConstMetric(busy, prometheus.GaugeValue, u, fmt.Sprint(i+1))
	}
}

// A group under Prometheus: counters and gauges from its Stats, and a histogram
// of latencies from its Observe.
func Example_prometheus() {
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "item_latency_seconds", Help: "From creation to pick-up.", Buckets: prometheus.ExponentialBuckets(1e-6, 10, 8)})
	group := prodcons.Group[int]{
		Consumers: 2,
		Produce: func(_ context.Context, _ int, put func(int) error) error {
			for i := range 100 {
				if err := put(i); err != nil {
					return err
				}
			}
			return nil
		},
		Consume: func(context.Context, int, int) error { return nil },
		Observe: func(e prodcons.Event) {
			if e.Kind == prodcons.ItemPickedUp {
				latency.Observe(e.Latency.Seconds())
			}
		},
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(groupMetrics{group.Stats}, latency)

	if err := group.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	families, err := registry.Gather() // what a scrape gets
	for _, f := range families {
		fmt.Println(f.GetName(), len(f.GetMetric()), f.GetMetric()[0].GetCounter().GetValue()+float64(f.GetMetric()[0].GetHistogram().GetSampleCount()))
	}
	fmt.Println(err)
	// Output:
	// consumer_busy_ratio 2 0
	// item_latency_seconds 1 100
	// items_made_total 1 100
	// items_queued 1 0
	// items_used_total 1 100
	// <nil>
}
