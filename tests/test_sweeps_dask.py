"""Sweeps on Dask: a scheduler and workers as its own commands start them, one of which is killed."""

@pytest.mark.filterwarnings("ignore")
def test_dask_with_a_killed_worker(expected, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                   host="127.0.0.1") as cluster, distributed.Client(cluster) as client):
        found = quiet(deadly, params={"flag": str(tmp_path / "flag")}, vary=GRID, replicates=4, executor=client,
                      store=tmp_path / "store")
    assert (tmp_path / "flag").exists() and found.failures.empty
    assert found.frame.x.tolist() == expected.x.tolist()
    assert len({o.key for o in found._store.read()}) == 12


