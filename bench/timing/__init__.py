"""How fast the training is: contenders side by side, ceilings, arithmetic, growth."""
