# Sets up .venv on first use, then runs what you ask for. `make` alone lists the targets.

PYTHON ?= $(shell sh .ci/find-python)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
CONFIG ?= configs/sim_pick_lift.toml
# More tests at a time than a small machine has cores, since they wait now and then: first those that compute, then those
# that wait for processes of their own, which would be late beside the former. The bus of an arm is judged by the
# millisecond: two at a time. What takes longest begins.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -m "not slow" --dist loadfile
WAITING := $(wildcard $(patsubst %,tests/console/test_%.py,arm hold_console driver job_control guarding monkey station_link tmux) \
	$(addprefix tests/,actor transport))
ARMS := $(wildcard $(addprefix tests/,doctor emulator robot))
LONG := $(patsubst %,tests/station/test_%.py,run remote_run find_limits gymnasium_run dataset_runs fed_run evaluate_run cameras held_keys)

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint bench stubs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## open the console on a simulated arm and start training (CONFIG=other.toml)
	@sh .ci/check-egl $(BIN)/python
	$(BIN)/hilserl-tui $(CONFIG) --start

test: $(READY) ## run the tests, all but the slow ones
	$(PYTEST) -n 3 $(addprefix --ignore=,$(WAITING) $(ARMS) tests/station)
	$(PYTEST) -n 3 --no-loadscope-reorder $(WAITING)
	$(PYTEST) -n 2 $(ARMS)
	$(PYTEST) -n 3 --no-loadscope-reorder $(LONG) $(filter-out $(LONG),$(wildcard tests/station/test_*.py))

test-slow: $(READY) ## run the tests that take minutes
	$(BIN)/pytest -q -m slow

lint: $(READY) ## check style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

stubs: $(READY) ## generate the Python of proto/ anew
	$(BIN)/python -m grpc_tools.protoc -Iworkers/transport/pb=proto/hilserl/v1 --python_out=. --pyi_out=. --grpc_python_out=. workers/transport/pb/learner.proto workers/transport/pb/pad.proto

bench: $(READY) ## print the tables behind the README's figures (an hour)
	set -e; for name in simulator loop kinematics replay log_load dataset dataset_load checkpoint learner policy_swap link hostile console latency device_loss bus hand_over camera safety classifier learning; do echo "== $$name"; $(BIN)/python -m benchmarks.$$name; done

clean: ## remove .venv and caches; runs are kept
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	find hilserl_tui workers tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@sh .ci/set-up "$(PYTHON)" $(VENV)
	@$(BIN)/python -m compileall -q hilserl_tui workers  # the console's first start is as quick as the next
	@touch $@
