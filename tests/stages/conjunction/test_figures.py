from pipeline.stages.conjunction._results import read_graph, read_samples

STAGE = "conjunction_figures"


def test_every_figure_is_a_picture_of_both_kinds(chain):
    folder = chain.made(STAGE)
    names = {path.stem for path in folder.iterdir()}
    assert names >= {"c1_gains", "c3_samples", "c4_comparison", "c5_scaling", "c7_graph"}
    for name in names:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (folder / f"{name}.svg").read_bytes()


def test_the_samples_shown_are_of_the_data_sets(chain):
    params = chain.params(STAGE)
    chain.made(STAGE)
    shown = read_samples(chain.inputs, params.samples, params.compare)
    assert list(shown) == [*params.samples.tasks, next(iter(params.compare.tasks))]
    for found in shown.values():
        for bits, label in zip(found.bits, found.labels, strict=True):
            rule = int(bits[-1]) if len(found.targets) == 2 else 0
            assert label == min(bits[found.targets[rule]])


def test_hit_rates_in_the_figure_are_the_metrics(chain):
    chain.made(STAGE)
    metrics = chain.metrics("conjunction_graph")["C7"]
    hits = read_graph(chain.inputs)["hits"]
    assert hits == {method: metrics[method]["hit"] for method in hits}
