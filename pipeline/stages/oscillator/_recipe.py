"""What the stages that train O7's recipes share."""

from pathlib import Path

from pipeline.core.nn.layers import MemberModule
from pipeline.core.training.ensemble import History
from pipeline.core.training.sampling import grouped
from pipeline.labs.oscillator.recipe import RecipeCell, RecipesConfig, train_recipe
from pipeline.runtime import parallel, training_record
from pipeline.stages.oscillator._data import read_split


def compute_recipe(cell: RecipeCell) -> tuple[MemberModule, History]:
    """Train one cell of O7 in a worker."""
    return train_recipe(cell, parallel.report)


def train_recipes(inputs: Path, config: RecipesConfig) -> list[training_record.Trained]:
    """Train the recipes' models, seeds stacked in cells, each on the data that it names."""
    needed = dict.fromkeys(recipe.data for recipe in config.models.values())
    splits = {
        (data, part): read_split(inputs, f"{data}_{part}")
        for data in needed
        for part in ("train", "valid")
    }
    cells = [
        RecipeCell(
            name=name,
            seeds=seeds,
            recipe=recipe,
            train=splits[recipe.data, "train"],
            valid=splits[recipe.data, "valid"],
        )
        for name, recipe in config.models.items()
        for seeds in grouped(config.seeds, config.members_per_cell)
    ]
    steps = sum(cell.recipe.training.steps for cell in cells)
    results = parallel.map_cells(compute_recipe, cells, description="O7", units=steps)
    done = []
    for name, recipe in config.models.items():
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = training_record.joined([results[k] for k in own])
        done.append(
            training_record.Trained(
                experiment="O7",
                name=name,
                seeds=config.seeds,
                model=model,
                history=history,
                params=recipe.model_dump(mode="json"),
            )
        )
    return done
