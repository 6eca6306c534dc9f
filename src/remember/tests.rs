mod accounts;
mod incidents;
mod made_up;
mod misuse;
mod round_trip;
mod shown;
mod size;
